// Package notices holds the licences of the modules in the program, which must be distributed with
// it. go generate creates the file from the modules.
package notices

import _ "embed"

//go:generate go run ./generate -o notices.txt

//go:embed notices.txt
var text string

// Text returns the list of the modules with their versions, and the text of each licence.
func Text() string { return text }
