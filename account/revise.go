package account

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Replace puts another text in the place of the whole file, as an editor does.
// One that can't be understood is a [*ParseError], and nothing is changed.
func (f *File) Replace(source []byte) error {
	g, err := parse(f.path, source)
	if err != nil {
		return err
	}
	g.exists, g.onDisk = f.exists, f.onDisk
	*f = *g
	return nil
}

// Keys are the keys that an account may have, in the order of the
// documentation; those of secret, oauth2 and headers have a dot in them.
func Keys() []string {
	var list []string
	for _, key := range knownKeys([]string{"account", ""}) {
		below := knownKeys([]string{"account", "", key})
		for _, k := range below {
			list = append(list, key+"."+k)
		}
		if below == nil {
			list = append(list, key)
		}
	}
	return list
}

// Set gives one key of an account a value: a text as it is, or what TOML has for
// true, a number or a list. A key of secret replaces what secret was. Errors are
// those of Load, and nothing is changed then.
func (f *File) Set(name, key, value string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	source, table, last := f.source, path[:len(path)-1], path[len(path)-1]
	if !isLiteral(path, value) {
		value = quote(value)
	}
	if len(path) == 4 && path[2] == "secret" {
		table, last, value = path[:2], "secret", "{ "+dottedKey(path[3:])+" = "+value+" }"
		source = layOut(source).without(path[:3])
	}
	if len(path) == 3 && strings.HasPrefix(last, "signature") { // each replaces the other
		for _, other := range []string{"signature", "signature_file"} {
			if other != last {
				source = layOut(source).without(append(slices.Clone(table), other))
			}
		}
	}
	if len(table) == 3 { // a table of its own, unless it is written in one line
		if expanded, ok := f.expanded(source, table); ok {
			source = expanded
		}
	}
	l := layOut(source)
	if len(table) == 3 && !slices.ContainsFunc(l.expressions, func(e expression) bool {
		return e.header && slices.Equal(e.path, table) || slices.Equal(e.path, path)
	}) {
		return f.Replace(l.with(table[:2], dottedKey(path[2:]), value))
	}
	return f.Replace(l.with(table, last, value))
}

// expanded takes the table of a key apart when it stands in one line: "oauth2 = {
// … }" becomes lines of their own, which can be edited.
func (f *File) expanded(source []byte, table []string) ([]byte, bool) {
	l := layOut(source)
	at := slices.IndexFunc(l.expressions, func(e expression) bool { return !e.header && slices.Equal(e.path, table) })
	if at < 0 {
		return nil, false
	}
	a, _ := f.Account(table[1])
	var lines strings.Builder
	switch table[2] {
	case "oauth2":
		for _, k := range []struct{ key, value string }{{"client_id", a.OAuth2.ClientID}, {"client_secret", a.OAuth2.ClientSecret},
			{"tenant", a.OAuth2.Tenant}, {"auth_url", a.OAuth2.AuthURL}, {"token_url", a.OAuth2.TokenURL}, {"device_url", a.OAuth2.DeviceURL}} {
			if k.value != "" {
				fmt.Fprintf(&lines, "oauth2.%s = %s\n", k.key, quote(k.value))
			}
		}
		if len(a.OAuth2.Scopes) > 0 {
			fmt.Fprintf(&lines, "oauth2.scopes = %s\n", quoteAll(a.OAuth2.Scopes))
		}
	case "headers":
		for _, h := range a.Headers {
			fmt.Fprintf(&lines, "headers.%s = %s\n", dottedKey([]string{h.Name}), quote(h.Value))
		}
	default:
		return nil, false
	}
	return l.splice(l.expressions[at].line, lines.String()), true
}

// Unset takes one key out of an account, which then has what it inherits.
func (f *File) Unset(name, key string) error {
	path, err := f.keyPath(name, key)
	if err != nil {
		return err
	}
	if len(path) == 4 && path[2] == "secret" {
		path = path[:3]
	}
	source := f.source
	if len(path) == 4 {
		if expanded, ok := f.expanded(source, path[:3]); ok {
			source = expanded
		}
	}
	return f.Replace(layOut(source).without(path))
}

// keyPath is where a key of an account stands in the file.
func (f *File) keyPath(name, key string) ([]string, error) {
	if _, ok := f.Account(name); !ok {
		return nil, f.unknown(name)
	}
	key, rest, dotted := strings.Cut(key, ".")
	path := []string{"account", name, key}
	if dotted {
		path = append(path, rest)
	}
	last := path[len(path)-1]
	known := knownKeys(path[:len(path)-1])
	if free := dotted && key == "headers" && rest != ""; !free && !slices.Contains(known, last) || len(known) == 0 && !free {
		p := &ParseError{Path: f.path}
		p.unknownKey(path)
		return nil, p
	}
	return path, nil
}

// isLiteral reports whether a key is no text, so that its value stays as it is.
func isLiteral(path []string, value string) bool {
	t := tableType(path[:len(path)-1])
	for i := range numFields(t) {
		field := t.Field(i)
		if field.Tag.Get("toml") != path[len(path)-1] {
			continue
		}
		switch kind := field.Type; {
		case kind.Kind() == reflect.String, kind.Kind() == reflect.Pointer && kind.Elem().Kind() == reflect.String:
			return false
		case kind.Kind() == reflect.Interface: // save_sent, netrc: a text or true and false
			return value == "true" || value == "false"
		}
		return true
	}
	return false
}

func numFields(t reflect.Type) int {
	if t == nil {
		return 0
	}
	return t.NumField()
}

// Position is where a key of an account stands in the file, counted from 1, or
// what is nearest above it; 0 when there is neither.
func (f *File) Position(name string, key ...string) (line, column int) {
	return f.layout.position(append([]string{"account", name}, key...))
}
