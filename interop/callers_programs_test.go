//go:build interop && linux

package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// caller is a program that hands mail to yan.
type caller struct {
	// name is unique among those of one test; it is also the local part of the
	// recipient and part of the subject.
	name string
	// pack is its package of Debian, or "npm", "Go" and the library; for the table.
	pack string
	// argv is the command; {p} is the folder of programs, {c} that of fetch.sh.
	argv []string
	// needs is a file in the folder of fetch.sh that it can't do without, absent
	// the reason if it is missing.
	needs, absent string
	sendmailCaller
	smtpCaller
}

// php runs a program of PHP with the extensions that Debian's package enables.
func php(program string, args ...string) []string {
	argv := []string{"php8.2", "-n", "-d", "error_reporting=0"}
	for _, extension := range []string{"ctype", "iconv", "mbstring", "intl", "sockets"} {
		argv = append(argv, "-d", "extension="+extension)
	}
	return append(append(argv, "{p}/"+program), args...)
}

func shell(program string) []string { return []string{"/bin/sh", "{p}/command.sh", program} }

func perl(library string) []string { return []string{"perl", "{p}/sender.pl", library} }

// expand returns the command for a machine.
func (c caller) expand(m *machine) []string {
	argv := make([]string, len(c.argv))
	for i, a := range c.argv {
		argv[i] = strings.NewReplacer("{p}", filepath.Join(m.dir, "programs"), "{c}", m.callers).Replace(a)
	}
	return argv
}

// presentCallers leaves out programs that are not here; with CI=true that is a
// failure.
func (m *machine) presentCallers(t *testing.T, all []caller) []caller {
	t.Helper()
	return slices.DeleteFunc(all, func(c caller) bool {
		if c.needs == "" {
			return false
		}
		if _, err := os.Stat(filepath.Join(m.callers, c.needs)); err == nil {
			return false
		}
		if _, absent := isAbsent(&absentError{c.absent}); !absent {
			t.Errorf("%s: %s", c.name, c.absent)
		}
		t.Logf("%s: not tested: %s", c.name, c.absent)
		return true
	})
}

// absentCallers are programs that can't be had anywhere, with the reason.
func absentCallers() map[string]string {
	return map[string]string{
		"cronie":  "no package of Debian 12 has it",
		"MailKit": "it is a NuGet package, and needs .NET",
	}
}

// versions reads the versions of Debian's packages that fetch.sh unpacked.
func (m *machine) versions(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(m.callers, "root", "versions"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list := map[string]string{}
	for s := bufio.NewScanner(file); s.Scan(); {
		pack, version, _ := strings.Cut(s.Text(), "\t")
		list[pack] = version
	}
	return list
}

// callerTable collects the results of concurrent tests, a line for each program.
type callerTable struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (c *callerTable) add(name, cell string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lines == nil {
		c.lines = map[string][]string{}
	}
	c.lines[name] = append(c.lines[name], cell)
}

// log prints the table in the order of the callers.
func (c *callerTable) log(t *testing.T, m *machine, callers []caller) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	versions := m.versions(t)
	var b strings.Builder
	for _, p := range callers {
		version := p.pack
		if v, ok := versions[p.pack]; ok {
			version += " " + v
		}
		slices.Sort(c.lines[p.name])
		fmt.Fprintf(&b, "\n%-22s %-48s %s", p.name, version, strings.Join(c.lines[p.name], ", "))
	}
	t.Logf("%d programs:%s", len(callers), b.String())
}

// callerText is the text that the programs send: lines that sendmail and SMTP
// give a meaning, and one that is not ASCII.
const callerText = "one\n.\n..two\n你好\n"

// environment of a caller's message; LOGIN and SECRET after it replace these.
func (c caller) environment(from, to string) []string {
	return []string{"FROM=" + from, "TO=" + to, "SUBJECT=问候 " + c.name, "LOGIN=", "SECRET="}
}

func readJSON(text string, into any) error { return json.Unmarshal([]byte(text), into) }
