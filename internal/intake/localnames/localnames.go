// Package localnames finds the addresses of names without a domain, such as root: in a table of the
// configuration, then in a file like /etc/aliases. It does no I/O but that of its reader.
package localnames

import (
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Table finds the addresses of local names. The zero Table knows none. It is safe for concurrent use.
type Table struct {
	configured map[string][]smtp.Address // by the name in lower case; "*" is any name
	aliases    *Aliases
}

// NewTable returns a table of the names of the configuration, "*" for any other name, and of aliases,
// which may be nil. A name of the configuration counts before one of aliases, and both before "*".
func NewTable(configured map[string][]smtp.Address, aliases *Aliases) *Table {
	t := &Table{configured: make(map[string][]smtp.Address, len(configured)), aliases: aliases}
	for name, list := range configured {
		t.configured[strings.ToLower(name)] = list
	}
	return t
}

var (
	// ErrUnknown: no table has the name.
	ErrUnknown = localerr.New("no such local name")

	errNoAddress = localerr.New("its line in the aliases file has no address that can be used")
)

// maxAddresses limits what one name can stand for.
const maxAddresses = 1000

// Find returns the addresses of a name, each once. Case does not matter, and of "root+cron" the name is
// root if there is no other. The error is ErrUnknown, or says why the file's line for the name can't be
// used.
func (t *Table) Find(name string) ([]smtp.Address, error) {
	name = strings.ToLower(name)
	f := finder{table: t, seen: map[string]bool{}}
	err := f.add(name)
	if base, _, found := strings.Cut(name, "+"); errors.Is(err, ErrUnknown) && found && base != "" {
		err = f.add(base)
	}
	switch {
	case len(f.list) > 0:
		return f.list, nil
	case len(t.configured["*"]) > 0:
		return slices.Clone(t.configured["*"]), nil
	case err == nil:
		err = errNoAddress
	}
	return nil, err
}

// finder follows the names of one search.
type finder struct {
	table *Table
	seen  map[string]bool
	list  []smtp.Address
}

// add adds the addresses of a name in lower case.
func (f *finder) add(name string) error {
	if f.seen[name] {
		return nil
	}
	f.seen[name] = true
	if list, found := f.table.configured[name]; found && name != "*" {
		for _, address := range list {
			f.addAddress(address)
		}
		return nil
	}
	if f.table.aliases == nil {
		return ErrUnknown
	}
	values, found := f.table.aliases.names[name]
	if !found {
		return ErrUnknown
	}
	for _, v := range values {
		switch {
		case len(f.list) >= maxAddresses || len(f.seen) >= maxAddresses:
			return nil
		case !v.address.IsZero():
			f.addAddress(v.address)
		default:
			_ = f.add(v.name) // a name without an address leaves the others
		}
	}
	return nil
}

func (f *finder) addAddress(a smtp.Address) {
	if len(f.list) < maxAddresses && !slices.ContainsFunc(f.list, a.Equal) {
		f.list = append(f.list, a)
	}
}
