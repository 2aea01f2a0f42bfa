// Package localnames finds the addresses of names without a domain, such as root: in a table of the
// configuration, then in a file like /etc/aliases. It does no I/O but its reader.
package localnames

import (
	"io"

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
	return &Table{configured: configured, aliases: aliases}
}

// ErrUnknown: no table has the name.
var ErrUnknown = localerr.New("no such local name")

// Find returns the addresses of a name. The error is ErrUnknown, or says why the file's line for it
// can't be used.
func (t *Table) Find(name string) ([]smtp.Address, error) { return nil, ErrUnknown }

// Aliases is the contents of a file like /etc/aliases.
type Aliases struct {
	names map[string][]string
}

// Notice is a line of the file that is not used.
type Notice struct {
	Line int
	Err  error
}

// ParseAliases reads a file in the form of /etc/aliases (aliases(5) of Postfix and Sendmail). Lines
// that can't be used are left out, and returned as notices. The error is one of r.
func ParseAliases(r io.Reader) (*Aliases, []Notice, error) { return &Aliases{}, nil, nil }
