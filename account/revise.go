package account

import (
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Replace puts another text in the place of the whole file, as an editor does.
// One that can't be understood is a [*ParseError], and nothing is changed.
func (f *File) Replace(source []byte) error {
	g, err := f.schema().parse(f.path, slices.Clone(source))
	if err != nil {
		return err
	}
	g.exists, g.onDisk = f.exists, f.onDisk
	*f = *g
	return nil
}

// Keys returns the keys that an account may have, in the order of the table of keys;
// those of secret and oauth2 have a dot in them.
func Keys() []string { return accountSchema().accountKeys() }

// Set gives one key of an account a value: a text as it is, or what TOML has for
// true, a number or a list. A key of secret replaces what secret was. Errors are
// those of Load without a place, and nothing is changed then.
func (f *File) Set(name, key, value string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	text, meant, err := f.valueOf(path, value)
	if err != nil {
		return err
	}
	l, want := f.layout, treeOf(f.source)
	switch {
	case len(path) == 4 && path[2] == "secret":
		text, meant = inline([]string{path[3] + " = " + text}), map[string]any{path[3]: meant}
		path = path[:3]
	case f.schema().key(path[2]).replaces != "":
		other := append(slices.Clone(path[:2]), f.schema().key(path[2]).replaces)
		l = layOut(l.without(other))
		want.drop(other...)
	}
	want.put(meant, path...)
	return f.placeless(f.becomes(l.with(path, text), path, want), path)
}

// valueOf is a value in TOML, and what it means there.
func (f *File) valueOf(path []string, value string) (text string, meant any, err error) {
	if !f.schema().isLiteral(path, value) {
		return quote(value), value, nil
	}
	line := []byte("value = " + value)
	t, l := tree{}, layOut(line)
	lines := slices.DeleteFunc(slices.Clone(l.expressions), func(e expression) bool { return e.owner >= 0 })
	if toml.Unmarshal(line, (*map[string]any)(&t)) != nil || len(lines) != 1 || lines[0].header {
		return "", nil, &ParseError{Path: f.path, Fault: FaultValue, Key: dottedKey(path), Err: f.schema().wanted(path)}
	}
	return string(line[lines[0].value.start:lines[0].value.end]), t["value"], nil
}

// Unset takes one key out of an account, which then has what it inherits. A
// table goes with its last key, and a secret as a whole.
func (f *File) Unset(name, key string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	want := treeOf(f.source)
	if _, ok := want.at(path...); !ok {
		return nil
	}
	if len(path) == 4 && (path[2] == "secret" || len(want.table(path[:3]...)) == 1) {
		path = path[:3]
	}
	want.drop(path...)
	return f.placeless(f.becomes(f.layout.without(path), path, want), path)
}

// placeless is an error about a text that stands nowhere; a value of the wrong
// kind is told by the right one alone.
func (f *File) placeless(err error, path []string) error {
	var p *ParseError
	if errors.As(err, &p) {
		p.Line, p.Column = 0, 0
		if errors.Is(err, errKind) && p.Key == dottedKey(path) {
			p.Err = f.schema().wanted(path)
		}
	}
	return err
}

// keyPath is where a key of an account stands in the file.
func (f *File) keyPath(name, key string) ([]string, error) {
	if _, ok := f.Account(name); !ok {
		return nil, f.unknown(name)
	}
	key, rest, dotted := strings.Cut(key, ".")
	path := []string{"account", name, key}
	if dotted && key == "headers" && rest != "" {
		rest, _ = spelled(treeOf(f.source).table(path...), rest)
		return append(path, rest), nil
	}
	if dotted {
		path = append(path, rest)
	}
	if !slices.Contains(f.schema().knownKeys(path[:len(path)-1]), path[len(path)-1]) {
		p := &ParseError{Path: f.path}
		p.unknownKey(f.schema(), path)
		return nil, p
	}
	return path, nil
}

// Position is where a key of an account stands in the file, counted from 1, or
// what is nearest above it; 0 when there is neither.
func (f *File) Position(name string, key ...string) (line, column int) {
	return f.layout.position(append([]string{"account", name}, key...))
}
