package words

// chineseDoctor is the part of the table for yan doctor.
var chineseDoctor = map[string]string{}
