package accountroute

import (
	"bufio"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/intake/localnames"
	"github.com/yanmail/yan/internal/localerr"
)

// The files that name this machine and its local names.
const (
	hostsFile   = "/etc/hosts"
	aliasesFile = "/etc/aliases"
)

// SystemNames returns the names of this machine and the local names of /etc/aliases, without asking
// the network. Notices are the lines of /etc/aliases that are not used. The error is about that
// file; the names are right all the same.
func SystemNames() (s PolicySources, notices []localnames.Notice, err error) {
	if host, err := os.Hostname(); err == nil {
		s.Hosts = []string{host}
		if f, err := os.Open(hostsFile); err == nil {
			s.Hosts = HostNames(host, f)
			_ = f.Close() // only read
		}
	}
	f, err := os.Open(aliasesFile)
	if err != nil {
		if os.IsNotExist(err) {
			return s, nil, nil
		}
		return s, nil, localerr.Errorf("reading %s: %w", aliasesFile, err)
	}
	defer f.Close() // only read
	s.Aliases, notices, err = localnames.ParseAliases(io.LimitReader(f, maxAliases))
	if err != nil {
		return s, notices, localerr.Errorf("reading %s: %w", aliasesFile, err)
	}
	return s, notices, nil
}

// maxAliases bounds the file, in octets.
const maxAliases = 4 << 20

// HostNames returns the names of a machine: its host name, without its domain too, and the longer
// names that a file in the form of hosts(5) has for it.
func HostNames(host string, hosts io.Reader) []string {
	short, _, _ := strings.Cut(host, ".")
	names := []string{host}
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(short)
	lines := bufio.NewScanner(io.LimitReader(hosts, maxAliases))
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(text)
		if len(fields) < 2 || !slices.ContainsFunc(fields[1:], func(name string) bool { return strings.EqualFold(name, host) }) {
			continue
		}
		for _, name := range fields[1:] {
			if first, _, _ := strings.Cut(name, "."); strings.EqualFold(first, short) {
				add(strings.TrimSuffix(name, "."))
			}
		}
	}
	return names
}
