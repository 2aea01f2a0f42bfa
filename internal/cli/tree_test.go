package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/i18n"
)

// elsewhere returns the commands whose file is not named by their path.
func elsewhere() map[string]string {
	return map[string]string{
		"demo":       "sandboxcmd/demo.go", // it starts a sandbox
		"version":    "version.go",
		"help":       "root.go",
		"completion": "completion.go",
		"man":        "man.go",
	}
}

// The file of a command follows from its path: yan A is in Acmd/A.go, yan A B in Acmd/B.go, and
// yan config B in accountcmd/configB.go.
func TestEveryCommandHasItsFile(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	walked := 0
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		for _, sub := range cmd.Commands() {
			at := append(path[:len(path):len(path)], sub.Name())
			walked++
			name := strings.Join(at, " ")
			file := filepath.Join(at[0]+"cmd", at[len(at)-1]+".go")
			if at[0] == "config" { // next to the accounts
				file = filepath.Join("accountcmd", strings.Join(at, "")+".go")
			}
			if other, ok := elsewhere()[name]; ok {
				file = filepath.FromSlash(other)
			}
			if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
				t.Errorf("yan %s: there is no file %s", name, file)
			}
			walk(sub, at)
		}
	}
	walk(a.rootCommand(""), nil)
	if walked < 35 {
		t.Errorf("only %d commands were found", walked)
	}
}
