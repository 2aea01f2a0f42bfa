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
	a := f.inherited(name)
	a.Name = name
	return a
}

// inherited returns the values that an account of that name has without keys of its own. The
// account that [defaults] names as fallback has no fallback itself.
func (f *File) inherited(name string) Account {
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
	source := f.begun()
	table := []string{"account", a.Name}
	want := treeOf(source)
	changed := [][]string{}
	was := f.schema().values(before, f.inherited(a.Name))
	for i, k := range f.schema().values(a, f.inherited(a.Name)) {
		if k == was[i] && existed || !existed && !k.needed {
			continue
		}
		path := append(slices.Clone(table), k.key)
		if l := layOut(source); k.needed || i == 0 { // the first key creates the table
			source = l.with(path, k.value)
		} else if l.has(path) {
			source = l.without(path)
		}
		changed = append(changed, path)
	}
	return f.become(source, table, func(g *File) bool {
		got, _ := g.Account(a.Name)
		have := treeOf(g.source)
		for _, path := range changed {
			want.drop(path...)
			have.drop(path...)
		}
		return got.same(a) && have.same(want)
	})
}

// same compares the values that the file would hold.
func (a Account) same(b Account) bool {
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

// begun returns the document to change, or a new one that holds only the version.
func (f *File) begun() []byte {
	switch {
	case len(f.source) == 0:
		return fmt.Appendf(nil, "version = %d\n", Version)
	case len(f.layout.expressions) == 0: // only comments
		return f.layout.with([]string{"version"}, strconv.Itoa(Version))
	}
	return f.source
}

// become parses a changed source and makes it f's document if says(g) holds. Otherwise f is
// unchanged. key is the key of the change.
func (f *File) become(source []byte, key []string, says func(*File) bool) error {
	if !utf8.Valid(source) {
		return f.fault(FaultValue, key, localerr.New("it is not UTF-8"))
	}
	g, err := f.schema().read(f.path, slices.Concat(f.mark, source))
	if err == nil && !f.patient {
		err = f.worse(g, key)
	}
	var wrong *ParseError
	switch {
	case errors.As(err, &wrong) && (wrong.Fault == FaultSyntax || wrong.Fault == FaultUnknownKey):
		return f.fault(FaultValue, key, errByHand) // the request was valid; the file's form is the problem
	case err != nil:
		return err
	case !says(g):
		return f.fault(FaultValue, key, errByHand)
	}
	g.exists, g.onDisk, g.patient = f.exists, f.onDisk, f.patient
	*f = *g
	return nil
}

// becomes requires the parsed document to equal want.
func (f *File) becomes(source []byte, key []string, want tree) error {
	return f.become(source, key, func(g *File) bool { return treeOf(g.source).same(want) })
}

// Remove removes an account with the comments above and inside it. If it is the default, the
// default is removed, too. It is an error if another account falls back to it.
func (f *File) Remove(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknown(name)
	}
	path := []string{"account", name}
	want, source := treeOf(f.source), f.layout.without(path)
	want.drop(path...)
	if f.standard == name {
		source = layOut(source).without([]string{"default"})
		want.drop("default")
	}
	return f.becomes(source, path, want)
}

// SetDefault sets the default account.
func (f *File) SetDefault(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknown(name)
	}
	want := treeOf(f.source)
	want.put(name, "default")
	return f.becomes(f.layout.with([]string{"default"}, quote(name)), []string{"default"}, want)
}
