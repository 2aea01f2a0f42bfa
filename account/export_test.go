package account

// Same is for the tests of package account_test.
func (a Account) Same(b Account) bool { return a.same(b) }
