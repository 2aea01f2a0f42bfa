package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// fromNetrc returns the password of a host and user from a netrc file.
func (v *Vault) fromNetrc(ctx context.Context, name string, key Key) (string, error) {
	path, err := v.netrcPath(name)
	if err != nil {
		return "", &Error{Problem: NotFound, Path: name, Err: err}
	}
	data, err := readFile(ctx, path, owned)
	if err != nil {
		return "", err
	}
	entries, err := parseNetrc(decodeText(data))
	if err != nil {
		return "", &Error{Problem: Damaged, Path: path, Err: err}
	}
	password, ok := lookUp(entries, key.Host, key.User)
	if !ok {
		return "", &Error{Problem: NotFound, Path: path, Err: fmt.Errorf("it has no password for machine %s, login %s", key.Host, key.User)}
	}
	if Trim(password) == "" {
		return "", &Error{Problem: Empty, Path: path}
	}
	return password, checkText(path, password)
}

func (v *Vault) netrcPath(name string) (string, error) {
	if name == "" {
		name = v.getenv("NETRC")
	}
	if name != "" {
		return v.expand(name)
	}
	home, err := v.home()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "windows" {
		if path := filepath.Join(home, "_netrc"); pathExists(path) {
			return path, nil
		}
	}
	return filepath.Join(home, ".netrc"), nil
}

func pathExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// netrcEntry is an entry of a netrc file.
type netrcEntry struct {
	name        string // "" for the default entry
	login       string // "" for any login
	password    string
	hasPassword bool
}

func (m netrcEntry) isOf(host string) bool { return m.name != "" && strings.EqualFold(m.name, host) }

// lookUp finds a password: of the machine and login, else of the machine without a login, else of
// the default entry. The first match counts.
func lookUp(entries []netrcEntry, host, user string) (string, bool) {
	for _, fits := range []func(netrcEntry) bool{
		func(m netrcEntry) bool { return m.isOf(host) && m.login == user && user != "" },
		func(m netrcEntry) bool { return m.isOf(host) && (m.login == "" || user == "") },
		func(m netrcEntry) bool { return m.name == "" && (m.login == "" || m.login == user) },
	} {
		for _, m := range entries {
			if m.hasPassword && fits(m) {
				return m.password, true
			}
		}
	}
	return "", false
}

// parseNetrc parses a netrc file as ftp, fetchmail and msmtp do. Words are separated by white
// space; a word in double quotes may contain spaces; a backslash quotes the next character, inside
// and outside quotes. A # at the position of a keyword starts a comment. No error contains a word
// of the file: it may be part of a password.
func parseNetrc(text string) ([]netrcEntry, error) {
	p := netrcParser{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	var entries []netrcEntry
	for {
		word, more, err := p.keyword()
		if err != nil || !more {
			return entries, err
		}
		switch word {
		case "default":
			entries = append(entries, netrcEntry{})
			continue
		case "macdef":
			if err := p.skipMacro(); err != nil {
				return nil, err
			}
			continue
		}
		set, err := netrcValue(word)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
		line := p.line
		value, more, err := p.word()
		switch {
		case err != nil:
			return nil, err
		case !more:
			return nil, fmt.Errorf("line %d: nothing follows %s", line, word)
		case word == "machine" && value == "":
			return nil, fmt.Errorf("line %d: the machine has no name", line)
		case word == "machine":
			entries = append(entries, netrcEntry{})
		case len(entries) == 0:
			return nil, fmt.Errorf("line %d: %s stands before the first machine", line, word)
		}
		set(&entries[len(entries)-1], value)
	}
}

// netrcValue returns the setter of a keyword's value.
func netrcValue(keyword string) (func(*netrcEntry, string), error) {
	switch keyword {
	case "machine":
		return func(m *netrcEntry, s string) { m.name = s }, nil
	case "login", "user":
		return func(m *netrcEntry, s string) { m.login = s }, nil
	case "password", "passwd":
		return func(m *netrcEntry, s string) { m.password, m.hasPassword = s, true }, nil
	case "account", "port": // port is used in Emacs's authinfo files
		return func(*netrcEntry, string) {}, nil
	}
	return nil, errors.New("a keyword is expected here (a value that holds spaces needs quotes)")
}

type netrcParser struct {
	text string
	line int
}

// skip consumes n octets.
func (p *netrcParser) skip(n int) {
	p.line += strings.Count(p.text[:n], "\n")
	p.text = p.text[n:]
}

const netrcSpace = " \t\r\n\v\f"

func (p *netrcParser) skipSpace() {
	p.skip(len(p.text) - len(strings.TrimLeft(p.text, netrcSpace)))
}

// skipLine consumes the rest of a line and returns it.
func (p *netrcParser) skipLine() string {
	line, _, more := strings.Cut(p.text, "\n")
	p.skip(len(line))
	if more {
		p.skip(1)
	}
	return line
}

// keyword returns the next word outside comments.
func (p *netrcParser) keyword() (word string, more bool, err error) {
	for p.skipSpace(); strings.HasPrefix(p.text, "#"); p.skipSpace() {
		p.skipLine()
	}
	return p.word()
}

// skipMacro consumes a macro, which ends with an empty line.
func (p *netrcParser) skipMacro() error {
	line := p.line
	if _, more, err := p.word(); err != nil || !more {
		return errors.Join(err, fmt.Errorf("line %d: the macro has no name", line))
	}
	for p.skipLine(); p.text != ""; {
		if strings.TrimRight(p.skipLine(), "\r") == "" {
			return nil
		}
	}
	return nil
}

// word returns the next word; more is false at the end of the file.
func (p *netrcParser) word() (word string, more bool, err error) {
	p.skipSpace()
	if p.text == "" {
		return "", false, nil
	}
	quoted := p.text[0] == '"'
	at := 0
	if quoted {
		at = 1
	}
	var b strings.Builder
	for ; at < len(p.text); at++ {
		c := p.text[at]
		switch {
		case (c == '\n' || c == '\r') && quoted:
			return "", false, fmt.Errorf("line %d: a quote is not closed", p.line)
		case c == '"' && quoted:
			p.skip(at + 1)
			if p.text != "" && !strings.ContainsRune(netrcSpace, rune(p.text[0])) {
				return "", false, fmt.Errorf("line %d: something follows a closing quote", p.line)
			}
			return b.String(), true, nil
		case !quoted && strings.ContainsRune(netrcSpace, rune(c)):
			p.skip(at)
			return b.String(), true, nil
		case c == '\\' && at+1 < len(p.text) && p.text[at+1] != '\n' && p.text[at+1] != '\r':
			at++
			c = p.text[at]
		}
		b.WriteByte(c)
	}
	if quoted {
		return "", false, fmt.Errorf("line %d: a quote is not closed", p.line)
	}
	p.skip(len(p.text))
	return b.String(), true, nil
}
