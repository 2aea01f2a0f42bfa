// Package notices holds the licences of the modules that are part of the program, which
// ask to be passed on with it. The file is made by go generate from the modules themselves.
package notices

import _ "embed"

//go:generate go run ./generate -o notices.txt

//go:embed notices.txt
var text string

// Text is the list of the modules with their versions, and the text of each licence.
func Text() string { return text }
