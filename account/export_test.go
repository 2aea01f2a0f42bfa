package account

// Same is for the tests of package account_test.
func (a Account) Same(b Account) bool { return a.same(b) }

// KnownKeys are all keys of the format.
func KnownKeys() []string {
	var all []string
	for _, table := range [][]string{{}, {"account", "a"}, {"account", "a", "secret"}, {"account", "a", "oauth2"}} {
		all = append(all, knownKeys(table)...)
	}
	return all
}
