package console

import (
	"strings"
)

// ShellWord quotes a file name for a command line that users copy.
func ShellWord(name string) string {
	if strings.ContainsAny(name, " \t&;()$") {
		return `"` + name + `"`
	}
	return name
}
