package account

import (
	"slices"
	"strings"
)

// outboxSettings are the keys of [outbox]; nil means that the key is not set.
type outboxSettings struct {
	URL             *string `toml:"url"`
	PasswordCommand *string `toml:"password_command"`
	Bounce          *string `toml:"bounce"`
	Queue           *string `toml:"queue"`
	InDoubt         *string `toml:"in_doubt"`
	KeepBodies      *string `toml:"keep_bodies"`
	KeepMessages    *string `toml:"keep_messages"`
	MinFree         *string `toml:"min_free"`
}

// readOutbox sets the outbox; each unusable key is a fault.
func (f *File) readOutbox(s outboxSettings) {
	o := usualOutbox(f.defaults.dir)
	add := func(key string, fault Fault, err error) {
		if err != nil {
			f.faults = append(f.faults, f.faultAt(fault, []string{"outbox", key}, err))
		}
	}
	optional(&o.URL, s.URL)
	optional(&o.PasswordCommand, s.PasswordCommand)
	optional(&o.Bounce, s.Bounce)
	optional(&o.Queue, s.Queue)
	if s.InDoubt != nil {
		o.InDoubt = InDoubt(*s.InDoubt)
	}
	add("keep_bodies", FaultValue, setAs(&o.KeepBodies, s.KeepBodies, parseSpan))
	add("keep_messages", FaultValue, setAs(&o.KeepMessages, s.KeepMessages, parseSpan))
	add("min_free", FaultValue, setAs(&o.MinFree, s.MinFree, parseSize))
	for _, wrong := range o.checkKeys() {
		add(wrong.key, wrong.fault, wrong.err)
	}
	f.outbox = o
}

// setAs parses and sets a value. If parsing fails, the default stays, which keeps more than 0
// would.
func setAs[T any](to *T, from *string, read func(string) (T, error)) error {
	if from == nil {
		return nil
	}
	value, err := read(*from)
	if err == nil {
		*to = value
	}
	return err
}

// OutboxKeys returns the keys of the table [outbox], in the order of the documentation.
func OutboxKeys() []string { return accountSchema().knownKeys([]string{"outbox"}) }

// SetOutbox sets a key of [outbox], as Set does for an account.
func (f *File) SetOutbox(key, value string) error {
	path, err := f.outboxPath(key)
	if err != nil {
		return err
	}
	want := decodeTable(f.source)
	want.setValue(value, path...)
	l := f.layout
	if source := f.initialSource(); len(f.layout.expressions) == 0 {
		l = layOut(source)
		want.setValue(int64(Version), "version")
	}
	return f.withoutPlace(f.replaceIfEqual(l.setKey(path, quoteTOML(value)), path, want), path)
}

// UnsetOutbox removes a key from [outbox], so that its default applies.
func (f *File) UnsetOutbox(key string) error {
	path, err := f.outboxPath(key)
	if err != nil {
		return err
	}
	want := decodeTable(f.source)
	if _, ok := want.valueAt(path...); !ok {
		return nil
	}
	if len(want.tableAt("outbox")) == 1 {
		path = path[:1]
	}
	want.dropValue(path...)
	return f.withoutPlace(f.replaceIfEqual(f.layout.remove(path), path, want), path)
}

func (f *File) outboxPath(key string) ([]string, error) {
	path := append([]string{"outbox"}, strings.Split(key, ".")...)
	if len(path) != 2 || !slices.Contains(OutboxKeys(), key) {
		p := &ParseError{Path: f.path}
		p.unknownKey(f.ownSchema(), path)
		return nil, p
	}
	return path, nil
}
