package account

import (
	"slices"
	"strings"
)

// LoadFaulty is Load for a file in which accounts may make no sense, so that the
// others can be used, and those be put right: [File.Faults] says what is wrong. A
// change must leave the account that it is about without a fault, and add none to
// the others. What is no TOML or has keys that nobody knows is an error as of Load.
func LoadFaulty(path string) (*File, error) { return load(path, accountSchema().read) }

// Faults is what is wrong with the accounts, one fault of each, and with the choice
// of the default; nothing in a file that Load has read.
func (f *File) Faults() []*ParseError { return slices.Clone(f.faults) }

// FaultOf is what is wrong with an account, so that it can't be used; nil when
// nothing is. A fallback that is wrong is that account's fault, not this one's.
func (f *File) FaultOf(name string) *ParseError {
	for _, p := range f.faults {
		if p.about("account", name) {
			return p
		}
	}
	return nil
}

// about reports whether a fault is that of a key or of something below it.
func (e *ParseError) about(key ...string) bool {
	prefix := dottedKey(key)
	return e.Key == prefix || strings.HasPrefix(e.Key, prefix+".")
}

// worse finds what is wrong with g because of a change of f: a fault of what was
// changed, or one that was not there before.
func (f *File) worse(g *File, key []string) error {
	for _, p := range g.faults {
		known := slices.ContainsFunc(f.faults, func(before *ParseError) bool { return before.Key == p.Key })
		if !known || p.about(key[:min(len(key), 2)]...) {
			return p
		}
	}
	return nil
}

// Together makes several changes of one account: what they lead to is judged, not
// what is between them. After an error nothing is changed.
func (f *File) Together(name string, changes func(*File) error) error {
	g := *f
	g.patient = true
	if err := changes(&g); err != nil {
		return err
	}
	g.patient = f.patient
	if !f.patient {
		if err := f.worse(&g, []string{"account", name}); err != nil {
			return err
		}
	}
	*f = g
	return nil
}
