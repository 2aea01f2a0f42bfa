package account

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// New returns an account with the inherited values. The caller completes it and calls Put.
func (f *File) New(name string) Account {
	a := f.inheritedValues(name)
	a.Name = name
	return a
}

// inheritedValues returns the values that an account of that name has without keys of its own. The
// account that [defaults] names as fallback has no fallback itself.
func (f *File) inheritedValues(name string) Account {
	a := f.defaults
	a.Headers = slices.Clone(a.Headers)
	if a.Fallback == name {
		a.Fallback = ""
	}
	return a
}

// Put adds an account, or changes the keys that differ if the name exists. The error is a
// [*ParseError] if a value is unusable; then nothing is changed.
func (f *File) Put(a Account) error {
	if a.SaveSent == "" {
		a.SaveSent = SaveNever
	}
	if !isName(a.Name) {
		return &ParseError{Path: f.path, Fault: FaultValue, Key: "account." + dottedKey([]string{a.Name}), Err: localerr.New("a name may contain only letters, digits, - and _")}
	}
	before, existed := f.Account(a.Name)
	if !existed {
		before = f.New(a.Name)
	}
	source := f.initialSource()
	table := []string{"account", a.Name}
	want := decodeTable(source)
	changed := [][]string{}
	was := f.ownSchema().valuesInFile(before, f.inheritedValues(a.Name))
	for i, k := range f.ownSchema().valuesInFile(a, f.inheritedValues(a.Name)) {
		if k == was[i] && existed || !existed && !k.needed {
			continue
		}
		path := append(slices.Clone(table), k.key)
		if l := layOut(source); k.needed || i == 0 { // the first key creates the table
			source = l.setKey(path, k.value)
		} else if l.hasPath(path) {
			source = l.remove(path)
		}
		changed = append(changed, path)
	}
	return f.replaceIf(source, table, func(g *File) bool {
		got, _ := g.Account(a.Name)
		have := decodeTable(g.source)
		for _, path := range changed {
			want.dropValue(path...)
			have.dropValue(path...)
		}
		return got.sameKeys(a) && have.sameTable(want)
	})
}

// sameKeys compares the values that the file would hold.
func (a Account) sameKeys(b Account) bool {
	clean := func(a Account) Account {
		if len(a.Match) == 0 {
			a.Match = nil
		}
		if len(a.OAuth2.Scopes) == 0 {
			a.OAuth2.Scopes = nil
		}
		a.Headers = slices.SortedFunc(slices.Values(a.Headers), byName)
		a.dir = ""
		return a
	}
	return reflect.DeepEqual(clean(a), clean(b))
}

// errByHand: the value is written in a form that this package does not edit.
var errByHand = localerr.New("it is written in a form that only an editor can change")

// initialSource returns the document to change, or a new one that holds only the version.
func (f *File) initialSource() []byte {
	switch {
	case len(f.source) == 0:
		return fmt.Appendf(nil, "version = %d\n", Version)
	case len(f.layout.expressions) == 0: // only comments
		return f.layout.setKey([]string{"version"}, strconv.Itoa(Version))
	}
	return f.source
}

// replaceIf parses a changed source and makes it f's document if says(g) holds. Otherwise f is
// unchanged. key is the key of the change.
func (f *File) replaceIf(source []byte, key []string, says func(*File) bool) error {
	if !utf8.Valid(source) {
		return f.faultAt(FaultValue, key, localerr.New("it is not UTF-8"))
	}
	g, err := f.ownSchema().readLenient(f.path, slices.Concat(f.mark, source))
	if err == nil && !f.deferCheck {
		err = f.newFault(g, key)
	}
	var wrong *ParseError
	switch {
	case errors.As(err, &wrong) && (wrong.Fault == FaultSyntax || wrong.Fault == FaultUnknownKey):
		return f.faultAt(FaultValue, key, errByHand) // the request was valid; the file's form is the problem
	case err != nil:
		return err
	case !says(g):
		return f.faultAt(FaultValue, key, errByHand)
	}
	g.exists, g.onDisk, g.deferCheck = f.exists, f.onDisk, f.deferCheck
	*f = *g
	return nil
}

// replaceIfEqual requires the parsed document to equal want.
func (f *File) replaceIfEqual(source []byte, key []string, want tomlTable) error {
	return f.replaceIf(source, key, func(g *File) bool { return decodeTable(g.source).sameTable(want) })
}

// Remove removes an account with the comments above and inside it. If it is the default, the
// default is removed, too. It is an error if another account falls back to it.
func (f *File) Remove(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknownAccount(name)
	}
	path := []string{"account", name}
	want, source := decodeTable(f.source), f.layout.remove(path)
	want.dropValue(path...)
	if f.standard == name {
		source = layOut(source).remove([]string{"default"})
		want.dropValue("default")
	}
	return f.replaceIfEqual(source, path, want)
}

// SetDefault sets the default account.
func (f *File) SetDefault(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknownAccount(name)
	}
	want := decodeTable(f.source)
	want.setValue(name, "default")
	return f.replaceIfEqual(f.layout.setKey([]string{"default"}, quoteTOML(name)), []string{"default"}, want)
}
