package words

// chineseAccount is the part of the table for yan account.
var chineseAccount = map[string]string{}
