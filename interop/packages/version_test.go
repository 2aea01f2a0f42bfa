//go:build interop && linux

package packages

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Both systems sort the versions of the packages as Go sorts those of the program.
func TestVersionsSortAsInGo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	versions := []string{
		"v0.0.0-20261201071815-41e2b0ee4960", "v0.0.0-20261201071816-01e2b0ee4960", "v0.1.0-rc.1", "v0.1.0-rc.1.0.20261201071815-41e2b0ee4960", "v0.1.0-rc.2",
		"v0.1.0", "v0.1.1-0.20261201071815-41e2b0ee4960", "v0.1.1-0.20261201071815-41e2b0ee4960+dirty", "v0.1.1", "v0.10.0", "v1.0.0-beta", "v1.0.0",
	}
	var forms []string
	for _, version := range versions {
		out, err := command("../..", "sh", "tools/packages.sh", "version", version)
		if err != nil {
			t.Fatal(out, err)
		}
		forms = append(forms, strings.TrimSpace(out))
	}
	var script strings.Builder
	for i := range len(forms) - 1 {
		less, more := forms[i], forms[i+1]
		fmt.Fprintf(&script, "dpkg --compare-versions '%s' lt '%s' || echo 'dpkg: %s is not before %s'\n", less, more, less, more)
		fmt.Fprintf(&script, "rpm --eval \"%%{lua: if rpm.vercmp('%s', '%s') >= 0 then print('rpm: %s is not before %s') end}\"\n", less, more, less, more)
	}
	if out := strings.TrimSpace(m.do(script.String())); out != "" {
		t.Error(out)
	}
	checkOutput(t, "the version after a tag", m.built.new, "0.1.1~0.20")
}

// Two builds of one commit are equal, on any machine and by any user.
func TestTwoBuildsAreEqual(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	checkEqual(t, filepath.Join(m.built.folder, "new"), filepath.Join(m.built.folder, "again"))
}
