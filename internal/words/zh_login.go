package words

// chineseLogin is the part of the table for yan login.
var chineseLogin = map[string]string{}
