package account

import (
	"slices"
	"strings"
)

// LoadLenient is Load for a file in which some accounts may be unusable, so that the others can be
// used and the faults corrected: [File.Faults] lists them. A change must leave its account
// without a fault, and add none to the others. Invalid TOML and unknown keys are errors as in
// Load.
func LoadLenient(path string) (*File, error) { return loadWith(path, accountSchema().readLenient) }

// Faults returns the faults of the accounts, at most one of each, and of the choice of the
// default. It is empty for a file from Load.
func (f *File) Faults() []*ParseError { return slices.Clone(f.faults) }

// FaultOf returns the fault that makes an account unusable; nil if there is none. A fault in a
// fallback belongs to that account, not to this one.
func (f *File) FaultOf(name string) *ParseError {
	for _, p := range f.faults {
		if p.isAbout("account", name) {
			return p
		}
	}
	return nil
}

// isAbout reports whether the fault is at a key or below it.
func (e *ParseError) isAbout(key ...string) bool {
	prefix := dottedKey(key)
	return e.Key == prefix || strings.HasPrefix(e.Key, prefix+".")
}

// newFault returns a fault that a change from f to g causes: one of the changed account, or one that
// did not exist before.
func (f *File) newFault(g *File, key []string) error {
	for _, p := range g.faults {
		known := slices.ContainsFunc(f.faults, func(before *ParseError) bool { return before.Key == p.Key })
		if !known || p.isAbout(key[:min(len(key), 2)]...) {
			return p
		}
	}
	return nil
}

// Together makes several changes of one account; only the final state must be valid. After an
// error nothing is changed.
func (f *File) Together(name string, changes func(*File) error) error {
	g := *f
	g.deferCheck = true
	if err := changes(&g); err != nil {
		return err
	}
	g.deferCheck = f.deferCheck
	if !f.deferCheck {
		if err := f.newFault(&g, []string{"account", name}); err != nil {
			return err
		}
	}
	*f = g
	return nil
}
