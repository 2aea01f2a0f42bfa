package localnames

import (
	"bufio"
	"io"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/smtp"
)

// Aliases is the contents of a file like /etc/aliases.
type Aliases struct {
	names map[string][]aliasValue // by the name in lower case
}

// aliasValue is an address or another name.
type aliasValue struct {
	address smtp.Address
	name    string // in lower case, if address is zero
}

// Notice is a line of the file, or a part of one, that is not used.
type Notice struct {
	Line int // where the entry begins
	Err  error
}

// maxEntry is the longest entry with its continuation lines, in octets.
const maxEntry = 256 << 10

// Reasons for a notice.
var (
	errCommand   = localerr.New("it names a command, and mail runs no commands here")
	errFile      = localerr.New("it names a file, and mail is written to no files here")
	errInclude   = localerr.New("lists in other files (:include:) are not read")
	errForm      = localerr.New("want NAME: ADDRESS, ADDRESS…")
	errLongEntry = localerr.Errorf("the entry has more than %d octets", maxEntry)
	errTwice     = localerr.New("the name has an earlier line, which is used")
)

// ParseAliases reads a file in the form of /etc/aliases (aliases(5) of Postfix and Sendmail). What can't
// be used is left out and returned as notices. The error is one of r.
func ParseAliases(r io.Reader) (*Aliases, []Notice, error) {
	p := &aliasParser{aliases: &Aliases{names: map[string][]aliasValue{}}}
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, long, err := readLine(in)
		if err != nil && err != io.EOF {
			return nil, nil, err
		}
		p.addLine(line, number, long)
		if err == io.EOF {
			p.endEntry()
			return p.aliases, p.notices, nil
		}
	}
}

// readLine reads a line without its end. Of one that is longer than an entry the rest is dropped.
func readLine(in *bufio.Reader) (line string, long bool, err error) {
	var b strings.Builder
	for {
		piece, err := in.ReadSlice('\n')
		if b.Len()+len(piece) <= maxEntry {
			b.Write(piece)
		} else {
			long = true
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		return strings.TrimRight(b.String(), "\r\n"), long, err
	}
}

type aliasParser struct {
	aliases *Aliases
	notices []Notice

	entry  strings.Builder
	number int  // where the entry begins
	long   bool // it is too long
}

// addLine adds a line to the entry if it begins with a blank, and begins another one otherwise.
func (p *aliasParser) addLine(line string, number int, long bool) {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "" || trimmed[0] == '#':
		return
	case line[0] != ' ' && line[0] != '\t':
		p.endEntry()
		p.number = number
	case p.number == 0:
		p.note(number, errForm)
		return
	}
	p.long = p.long || long || p.entry.Len()+len(line) > maxEntry
	if !p.long {
		p.entry.WriteString(line)
	}
}

func (p *aliasParser) note(line int, err error) { p.notices = append(p.notices, Notice{line, err}) }

// endEntry parses the entry.
func (p *aliasParser) endEntry() {
	entry, number, long := p.entry.String(), p.number, p.long
	p.entry.Reset()
	p.number, p.long = 0, false
	if number == 0 {
		return
	}
	if long {
		p.note(number, errLongEntry)
		return
	}
	name, rest := cutOutside(entry, ':')
	name = strings.ToLower(unquoted(strings.TrimSpace(name)))
	if rest == "" || name == "" || strings.ContainsAny(name, "@ \t,\"\\") {
		p.note(number, errForm)
		return
	}
	if _, found := p.aliases.names[name]; found {
		p.note(number, localerr.Errorf("%q: %w", excerpt.Runes(name, 60), errTwice))
		return
	}
	p.aliases.names[name] = p.values(rest[1:], name, number)
}

// values parses the right side of an entry.
func (p *aliasParser) values(text, name string, number int) []aliasValue {
	var list []aliasValue
	for text != "" {
		item, rest := cutOutside(text, ',')
		text = strings.TrimPrefix(rest, ",")
		if item = strings.TrimSpace(item); item == "" || item[0] == '#' {
			continue
		}
		v, err := parseValue(item)
		if err != nil {
			p.note(number, localerr.Errorf("%q: %w", excerpt.Runes(name, 60), err))
			continue
		}
		list = append(list, v)
	}
	return list
}

// parseValue parses a value: an address, a name, or a name with a backslash, which other programs
// deliver to the mailbox of the user.
func parseValue(item string) (aliasValue, error) {
	s := unquoted(item)
	switch {
	case strings.HasPrefix(s, "|"):
		return aliasValue{}, errCommand
	case strings.HasPrefix(s, "/"):
		return aliasValue{}, errFile
	case strings.HasPrefix(strings.ToLower(s), ":include:"):
		return aliasValue{}, errInclude
	case strings.HasPrefix(s, ":"):
		return aliasValue{}, errForm
	}
	if local, found := strings.CutSuffix(s, "@localhost"); found {
		s = local
	}
	if !strings.Contains(s, "@") {
		s = strings.ToLower(strings.TrimPrefix(s, `\`))
		if s == "" || strings.ContainsAny(s, " \t\"\\") {
			return aliasValue{}, errForm
		}
		return aliasValue{name: s}, nil
	}
	if s[0] == '"' || item[0] != '"' {
		s = item
	}
	address, err := smtp.ParseAddress(s)
	return aliasValue{address: address}, err
}

// cutOutside cuts at the first c outside of quotes; rest begins with it.
func cutOutside(s string, c byte) (before, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == c && !quoted:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// unquoted removes the quotes around a text.
func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
	}
	return s
}
