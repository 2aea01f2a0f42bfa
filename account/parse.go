package account

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/spelling"
)

// parse reads a configuration in which nothing is wrong.
func parse(path string, source []byte) (*File, error) {
	f, err := read(path, source)
	if err == nil && len(f.faults) > 0 {
		return nil, f.faults[0]
	}
	return f, err
}

// read reads a configuration and checks all that can be checked without looking at
// other files. What is wrong with a value of one account becomes one of the faults.
func read(path string, source []byte) (*File, error) {
	f := &File{path: path}
	if bytes.HasPrefix(source, []byte("\ufeff")) { // Windows' editors write it
		f.mark, source = source[:3], source[3:]
	}
	f.source = source
	if err := newerVersion(path, source); err != nil {
		return nil, err // its keys may well be unknown, which is not the point
	}
	var doc document
	decoder := toml.NewDecoder(bytes.NewReader(source)).DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, decodeFault(path, source, err)
	}
	f.layout = layOut(source)
	if err := f.checkCase(); err != nil {
		return nil, err
	}
	f.standard = doc.Default
	if err := f.inherit(doc); err != nil {
		return nil, err
	}
	f.check()
	f.readOutbox(doc.Outbox)
	return f, nil
}

// newerVersion looks at the version alone.
func newerVersion(path string, source []byte) error {
	var head struct {
		Version int `toml:"version"`
	}
	if err := toml.Unmarshal(source, &head); err != nil || head.Version <= Version {
		return nil // parse reports the error, if there is one
	}
	l := layOut(source)
	line, column := l.position([]string{"version"})
	return &ParseError{Path: path, Line: line, Column: column, Fault: FaultVersion, Key: "version",
		Err: sentence.Errorf("it is of version %d, and this program knows up to %d", head.Version, Version)}
}

// checkCase finds keys that are known only in another case.
//
// QUIRK: go-toml 2.4 takes "From" for from, and of both the last.
func (f *File) checkCase() error {
	for _, e := range f.layout.expressions {
		for i := range e.path {
			if known := knownKeys(e.path[:i]); known != nil && !slices.Contains(known, e.path[i]) {
				p := f.fault(FaultUnknownKey, e.path, nil)
				p.unknownKey(e.path[:i+1])
				return p
			}
		}
	}
	return nil
}

// decodeFault says what TOML found.
func decodeFault(path string, source []byte, err error) *ParseError {
	p := &ParseError{Path: path, Fault: FaultSyntax, Err: sentence.New("it is not TOML")}
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		decode = &strict.Errors[0]
		p.unknownKey(wholeKey(source, decode))
	case errors.As(err, &decode) && len(decode.Key()) > 0 && !strings.Contains(decode.Error(), "already"):
		p.Fault, p.Key, p.Err = FaultValue, dottedKey(decode.Key()), sentence.Errorf("%w: %w", errKind, wanted(decode.Key()))
	case errors.As(err, &decode):
		row, column := decode.Position()
		p.syntaxFault(source, row, column, strings.TrimPrefix(decode.Error(), "toml: "))
		return p
	default:
		p.Err = err
	}
	if decode != nil {
		p.Line, p.Column = decode.Position()
		if p.Line == 0 {
			p.Line, p.Column = position(source, len(source))
		}
	}
	return p
}

// errKind: a number stands where a text should, or the like.
var errKind = sentence.New("is of the wrong kind")

// wholeKey is the key of an error from the root.
//
// QUIRK: go-toml 2.4 leaves out the name of an inline table ("secret = { comand
// = … }" is account.a.comand), and adds what follows an unknown table.
func wholeKey(source []byte, err *toml.DecodeError) []string {
	key := []string(err.Key())
	row, _ := err.Position()
	for _, e := range layOut(source).expressions {
		first, _ := position(source, e.where.start)
		last, _ := position(source, max(e.where.start, e.where.end-1))
		if e.header || e.owner >= 0 || row < first || row > last || len(key) == 0 {
			continue
		}
		if e.inline && !within(key, e.path) {
			key = append(slices.Clone(e.path), key[len(key)-1])
		}
	}
	for i := range key {
		known := knownKeys(key[:i])
		if known != nil && !slices.Contains(known, key[i]) {
			return key[:i+1]
		}
	}
	return key
}

// secretWords are what people call a secret, which has no place here.
var secretWords = []string{"password", "pass", "passwd", "code", "auth_code", "token", "授权码", "密码", "口令"}

// unknownKey names the nearest known key. One that looks like a password is
// another matter: it has no place here.
func (p *ParseError) unknownKey(key []string) {
	p.Fault, p.Key, p.Err = FaultUnknownKey, dottedKey(key), sentence.New("there is no such key")
	if len(key) == 0 {
		return
	}
	last := key[len(key)-1]
	if len(key) > 1 && slices.Contains(secretWords, strings.ToLower(last)) {
		p.Fault, p.Err = FaultSecret, sentence.New("a secret does not belong into this file")
		return
	}
	best := 3 // as many slips as a long word may have
	if len([]rune(last)) < 6 {
		best = 2
	}
	for _, known := range knownKeys(key[:len(key)-1]) {
		if d := spelling.Distance([]rune(strings.ToLower(last)), []rune(known)); d <= best && (d < best || p.Near == "") {
			best, p.Near = d, known
		}
	}
}

// knownKeys are those of a table.
func knownKeys(table []string) []string {
	t := tableType(table)
	if t == nil {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("toml"))
	}
	return keys
}

// tableType is the structure of a table; nil for one of free keys or none.
func tableType(table []string) reflect.Type {
	switch {
	case len(table) == 0:
		return reflect.TypeFor[document]()
	case table[0] == "outbox" && len(table) == 1:
		return reflect.TypeFor[outboxSettings]()
	case table[0] == "defaults":
		table = table[1:]
	case table[0] == "account" && len(table) > 1:
		table = table[2:]
	default:
		return nil
	}
	switch {
	case len(table) == 0:
		return reflect.TypeFor[settings]()
	case table[0] == "secret":
		return reflect.TypeFor[secretSettings]()
	case table[0] == "oauth2":
		return reflect.TypeFor[oauth2Settings]()
	}
	return nil
}

// wanted says of what kind the value of a key is.
func wanted(key []string) error {
	t := tableType(key[:len(key)-1])
	if t == nil {
		return sentence.New("want a table")
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Tag.Get("toml") != key[len(key)-1] {
			continue
		}
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch kind.Kind() {
		case reflect.String:
			return sentence.New("want a text in quotes")
		case reflect.Bool:
			return sentence.New("want true or false")
		case reflect.Int:
			return sentence.New("want a number")
		case reflect.Slice:
			return sentence.New(`want a list like ["a", "b"]`)
		}
	}
	return sentence.New("want a table")
}

// inherit makes the accounts, in the order in which the file names them first.
func (f *File) inherit(doc document) error {
	f.defaults = Account{SaveSent: SaveNever, dir: filepath.Dir(f.path)}
	if doc.Defaults.From != nil || doc.Defaults.Match != nil {
		key := "from"
		if doc.Defaults.From == nil {
			key = "match"
		}
		return f.fault(FaultValue, []string{"defaults", key}, sentence.New("this belongs to one account"))
	}
	if key, err := doc.Defaults.overlay(&f.defaults); err != nil {
		return f.fault(FaultValue, []string{"defaults", key}, err)
	}
	for _, name := range f.layout.accountNames() {
		a := f.New(name)
		if key, err := doc.Account[name].overlay(&a); err != nil {
			f.faults = append(f.faults, f.fault(FaultValue, []string{"account", name, key}, err))
		}
		f.accounts = append(f.accounts, a)
	}
	return nil
}

// accountNames are those of the document, in its order.
func (l layout) accountNames() []string {
	var list []string
	for _, e := range l.expressions {
		if len(e.path) > 1 && e.path[0] == "account" && !slices.Contains(list, e.path[1]) {
			list = append(list, e.path[1])
		}
	}
	return list
}

// fault is an error about a key, or about what stands nearest above it.
func (f *File) fault(fault Fault, key []string, err error) *ParseError {
	line, column := f.layout.position(key)
	return &ParseError{Path: f.path, Line: line, Column: column, Fault: fault, Key: dottedKey(key), Err: err}
}

// position finds a key, or the table that it is in; 0 where there is neither.
func (l layout) position(key []string) (line, column int) {
	for ; len(key) > 0; key = key[:len(key)-1] {
		for _, e := range l.expressions {
			if slices.Equal(e.path, key) {
				text := l.source[e.where.start:e.where.end]
				indent := len(text) - len(bytes.TrimLeft(text, " \t"))
				return position(l.source, e.where.start+indent)
			}
		}
	}
	return 0, 0
}

// position counts lines and columns (characters) from 1.
func position(source []byte, offset int) (line, column int) {
	before := source[:offset]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
}
