package account

import (
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Replace replaces the whole file, as an editor does. If the source is not valid, the error is a
// [*ParseError] and nothing is changed.
func (f *File) Replace(source []byte) error {
	g, err := f.ownSchema().parseStrict(f.path, slices.Clone(source))
	if err != nil {
		return err
	}
	g.exists, g.onDisk = f.exists, f.onDisk
	*f = *g
	return nil
}

// Keys returns the keys of an account, in the order of the table of keys; those of secret and
// oauth2 contain a dot.
func Keys() []string { return accountSchema().accountKeys() }

// Set sets one key of an account: to a text as it is, or to TOML for a Boolean, a number or a
// list. A key of secret replaces the whole secret. Errors are those of Load without a place; then
// nothing is changed.
func (f *File) Set(name, key, value string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	text, meant, err := f.valueOf(path, value)
	if err != nil {
		return err
	}
	l, want := f.layout, decodeTable(f.source)
	switch {
	case len(path) == 4 && path[2] == "secret":
		text, meant = inlineTable([]string{path[3] + " = " + text}), map[string]any{path[3]: meant}
		path = path[:3]
	case f.ownSchema().keyNamed(path[2]).replaces != "":
		other := append(slices.Clone(path[:2]), f.ownSchema().keyNamed(path[2]).replaces)
		l = layOut(l.remove(other))
		want.dropValue(other...)
	}
	want.setValue(meant, path...)
	return f.withoutPlace(f.replaceIfEqual(l.setKey(path, text), path, want), path)
}

// valueOf returns a value as TOML, and its meaning.
func (f *File) valueOf(path []string, value string) (text string, meant any, err error) {
	if !f.ownSchema().isLiteral(path, value) {
		return quoteTOML(value), value, nil
	}
	line := []byte("value = " + value)
	t, l := tomlTable{}, layOut(line)
	lines := slices.DeleteFunc(slices.Clone(l.expressions), func(e expression) bool { return e.owner >= 0 })
	if toml.Unmarshal(line, (*map[string]any)(&t)) != nil || len(lines) != 1 || lines[0].header {
		return "", nil, &ParseError{Path: f.path, Fault: FaultValue, Key: dottedKey(path), Err: f.ownSchema().kindError(path)}
	}
	return string(line[lines[0].value.start:lines[0].value.end]), t["value"], nil
}

// Unset removes one key of an account, so that the inherited value applies. A table is removed
// with its last key, and a secret as a whole.
func (f *File) Unset(name, key string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	want := decodeTable(f.source)
	if _, ok := want.valueAt(path...); !ok {
		return nil
	}
	if len(path) == 4 && (path[2] == "secret" || len(want.tableAt(path[:3]...)) == 1) {
		path = path[:3]
	}
	want.dropValue(path...)
	return f.withoutPlace(f.replaceIfEqual(f.layout.remove(path), path, want), path)
}

// withoutPlace returns an error about a text without a place; a value of the wrong kind is described
// by the right kind only.
func (f *File) withoutPlace(err error, path []string) error {
	var p *ParseError
	if errors.As(err, &p) {
		p.Line, p.Column = 0, 0
		if errors.Is(err, errKind) && p.Key == dottedKey(path) {
			p.Err = f.ownSchema().kindError(path)
		}
	}
	return err
}

// keyPath returns the path of an account's key in the file.
func (f *File) keyPath(name, key string) ([]string, error) {
	if _, ok := f.Account(name); !ok {
		return nil, f.unknownAccount(name)
	}
	key, rest, dotted := strings.Cut(key, ".")
	path := []string{"account", name, key}
	if dotted && key == "headers" && rest != "" {
		rest, _ = spellingIn(decodeTable(f.source).tableAt(path...), rest)
		return append(path, rest), nil
	}
	if dotted {
		path = append(path, rest)
	}
	if !slices.Contains(f.ownSchema().knownKeys(path[:len(path)-1]), path[len(path)-1]) {
		p := &ParseError{Path: f.path}
		p.unknownKey(f.ownSchema(), path)
		return nil, p
	}
	return path, nil
}

// Position returns the place of an account's key in the file, from 1, or of the nearest table
// above it; 0 if there is neither.
func (f *File) Position(name string, key ...string) (line, column int) {
	return f.layout.placeOf(append([]string{"account", name}, key...))
}
