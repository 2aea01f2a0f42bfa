package account

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/spelling"
)

// parseStrict reads a configuration that must have no faults.
func (s *schema) parseStrict(path string, source []byte) (*File, error) {
	f, err := s.readLenient(path, source)
	if err == nil && len(f.faults) > 0 {
		return nil, f.faults[0]
	}
	return f, err
}

// readLenient reads a configuration and checks everything that needs no other file. An unusable value of
// an account becomes one of the faults.
func (s *schema) readLenient(path string, source []byte) (*File, error) {
	f := &File{path: path, format: s}
	if bytes.HasPrefix(source, []byte("\ufeff")) { // written by editors on Windows
		f.mark, source = source[:3], source[3:]
	}
	f.source = source
	if err := newerVersion(path, source); err != nil {
		return nil, err // a newer version explains unknown keys better
	}
	doc, err := s.decodeDocument(source)
	if err != nil {
		return nil, s.decodeFault(path, source, err)
	}
	f.layout = layOut(source)
	if err := f.checkCase(); err != nil {
		return nil, err
	}
	f.standard = doc.standard
	if err := f.createAccounts(doc); err != nil {
		return nil, err
	}
	f.checkAccounts()
	f.readOutbox(doc.outbox)
	f.readLocal(doc.local)
	f.readSubmit(doc.submit)
	f.readListen(doc.listen)
	return f, nil
}

// newerVersion reads only the version.
func newerVersion(path string, source []byte) error {
	var head struct {
		Version int `toml:"version"`
	}
	if err := toml.Unmarshal(source, &head); err != nil || head.Version <= Version {
		return nil // parse reports the error, if there is one
	}
	l := layOut(source)
	line, column := l.placeOf([]string{"version"})
	return &ParseError{Path: path, Line: line, Column: column, Fault: FaultVersion, Key: "version",
		Err: localerr.Errorf("its version is %d, but this program supports versions up to %d", head.Version, Version)}
}

// checkCase finds keys that differ from a known key by case.
//
// QUIRK: go-toml 2.4 takes "From" for from, and the last one if both are set.
func (f *File) checkCase() error {
	for _, e := range f.layout.expressions {
		for i := range e.path {
			if known := f.ownSchema().knownKeys(e.path[:i]); known != nil && !slices.Contains(known, e.path[i]) {
				p := f.faultAt(FaultUnknownKey, e.path, nil)
				p.unknownKey(f.ownSchema(), e.path[:i+1])
				return p
			}
		}
	}
	return nil
}

// decodeFault explains a TOML error.
func (s *schema) decodeFault(path string, source []byte, err error) *ParseError {
	p := &ParseError{Path: path, Fault: FaultSyntax, Err: localerr.New("it is not TOML")}
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		decode = &strict.Errors[0]
		p.unknownKey(s, s.wholeKey(source, decode))
	case errors.As(err, &decode) && len(decode.Key()) > 0 && !strings.Contains(decode.Error(), "already"):
		p.Fault, p.Key, p.Err = FaultValue, dottedKey(decode.Key()), localerr.Errorf("%w: %w", errKind, s.kindError(decode.Key()))
	case errors.As(err, &decode):
		row, column := decode.Position()
		p.syntaxFault(s, source, row, column, strings.TrimPrefix(decode.Error(), "toml: "))
		return p
	default:
		p.Err = err
	}
	if decode != nil {
		p.Line, p.Column = decode.Position()
		if p.Line == 0 {
			p.Line, p.Column = lineAndColumn(source, len(source))
		}
	}
	return p
}

// errKind: the value has the wrong kind, such as a number for a text.
var errKind = localerr.New("has the wrong type")

// wholeKey is the key of an error from the root.
//
// QUIRK: go-toml 2.4 leaves out the name of an inline table ("secret = { comand
// = … }" is account.a.comand), and appends the keys after an unknown table.
func (s *schema) wholeKey(source []byte, err *toml.DecodeError) []string {
	key := []string(err.Key())
	row, _ := err.Position()
	for _, e := range layOut(source).expressions {
		first, _ := lineAndColumn(source, e.where.start)
		last, _ := lineAndColumn(source, max(e.where.start, e.where.end-1))
		if e.header || e.owner >= 0 || row < first || row > last || len(key) == 0 {
			continue
		}
		if e.inline && !isWithin(key, e.path) {
			key = append(slices.Clone(e.path), key[len(key)-1])
		}
	}
	for i := range key {
		known := s.knownKeys(key[:i])
		if known != nil && !slices.Contains(known, key[i]) {
			return key[:i+1]
		}
	}
	return key
}

// secretWords are names of secrets, which must not be in the file.
var secretWords = []string{"password", "pass", "passwd", "code", "auth_code", "token", "授权码", "密码", "口令"}

// unknownKey finds the nearest known key. A key that looks like a password gets its own fault:
// passwords do not belong in the file.
func (p *ParseError) unknownKey(s *schema, key []string) {
	p.Fault, p.Key, p.Err = FaultUnknownKey, dottedKey(key), localerr.New("unknown key")
	if len(key) == 0 {
		return
	}
	last := key[len(key)-1]
	if len(key) > 1 && slices.Contains(secretWords, strings.ToLower(last)) {
		p.Fault, p.Err = FaultSecret, localerr.New("secrets are not allowed in this file")
		return
	}
	best := 3 // maximum number of typos in a long word
	if len([]rune(last)) < 6 {
		best = 2
	}
	for _, known := range s.knownKeys(key[:len(key)-1]) {
		if d := spelling.Distance([]rune(strings.ToLower(last)), []rune(known)); d <= best && (d < best || p.Near == "") {
			best, p.Near = d, known
		}
	}
}

// createAccounts creates the accounts, in the order in which the file first names them.
func (f *File) createAccounts(doc document) error {
	f.defaults = Account{SaveSent: SaveNever, dir: filepath.Dir(f.path)}
	for _, k := range f.ownSchema().keys {
		if k.ownOnly && f.ownSchema().isSet(doc.defaults, k.name) {
			return f.faultAt(FaultValue, []string{"defaults", k.name}, localerr.New("this key is only allowed in an account"))
		}
	}
	if key, err := f.ownSchema().setKeys(&f.defaults, doc.defaults); err != nil {
		return f.faultAt(FaultValue, []string{"defaults", key}, err)
	}
	for _, name := range f.layout.accountNames() {
		a := f.New(name)
		if settings, ok := doc.accountTable(name); ok {
			if key, err := f.ownSchema().setKeys(&a, settings); err != nil {
				f.faults = append(f.faults, f.faultAt(FaultValue, []string{"account", name, key}, err))
			}
		}
		f.accounts = append(f.accounts, a)
	}
	return nil
}

// accountNames returns the names of the accounts, in the order of the document.
func (l tomlLayout) accountNames() []string {
	var list []string
	for _, e := range l.expressions {
		if len(e.path) > 1 && e.path[0] == "account" && !slices.Contains(list, e.path[1]) {
			list = append(list, e.path[1])
		}
	}
	return list
}

// faultAt returns an error about a key, placed at the nearest table above it if the key is missing.
func (f *File) faultAt(fault Fault, key []string, err error) *ParseError {
	line, column := f.layout.placeOf(key)
	return &ParseError{Path: f.path, Line: line, Column: column, Fault: fault, Key: dottedKey(key), Err: err}
}

// placeOf returns the place of a key, or of its table; 0 if there is neither.
func (l tomlLayout) placeOf(key []string) (line, column int) {
	for ; len(key) > 0; key = key[:len(key)-1] {
		for _, e := range l.expressions {
			if slices.Equal(e.path, key) {
				text := l.source[e.where.start:e.where.end]
				indent := len(text) - len(bytes.TrimLeft(text, " \t"))
				return lineAndColumn(l.source, e.where.start+indent)
			}
		}
	}
	return 0, 0
}

// lineAndColumn returns the line and column (in characters), both from 1.
func lineAndColumn(source []byte, offset int) (line, column int) {
	before := source[:offset]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
}
