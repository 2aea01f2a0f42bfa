package account

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"

	"github.com/yanmail/yan/internal/sentence"
)

// Version is that of the format which this program writes and reads.
const Version = 1

// File is a configuration in memory. It is for one goroutine.
type File struct {
	path     string
	source   []byte
	exists   bool
	onDisk   []byte // what was read, which Save compares
	layout   layout
	standard string // the account that the file calls its default
	defaults Account
	accounts []Account
}

// Path is where the configuration is: $YAN_CONFIG, else config.toml in the
// folder yan of $XDG_CONFIG_HOME, ~/.config, or on Windows %AppData%.
func Path(getenv func(string) string) (string, error) {
	if p := getenv("YAN_CONFIG"); p != "" {
		return p, nil
	}
	// The specification wants relative paths to be ignored.
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "yan", "config.toml"), nil
	}
	if dir := getenv("AppData"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "yan", "config.toml"), nil
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".config", "yan", "config.toml"), nil
	}
	return "", sentence.New("neither YAN_CONFIG nor XDG_CONFIG_HOME nor HOME is set")
}

// maxSize bounds a configuration, in octets.
const maxSize = 1 << 20

// Load reads a configuration. One that does not exist is empty. The error is a
// [*ParseError] when the file can be read and not understood.
func Load(path string) (*File, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err := parse(path, nil)
		return f, err
	}
	if err == nil && info.Size() > maxSize {
		return nil, &ParseError{Path: path, Fault: FaultSyntax, Err: sentence.Errorf("it has more than %d octets", maxSize)}
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parse(path, source)
	if err != nil {
		return nil, err
	}
	f.exists, f.onDisk = true, source
	return f, nil
}

// Parse reads a configuration from memory; path is what errors call it and
// where Save writes.
func Parse(path string, source []byte) (*File, error) { return parse(path, source) }

// Path is where the file was read, and where Save writes.
func (f *File) Path() string { return f.path }

// Exists reports whether there was a file.
func (f *File) Exists() bool { return f.exists }

// Accounts are those of the file, in its order.
func (f *File) Accounts() []Account { return slices.Clone(f.accounts) }

// Account finds one by its name.
func (f *File) Account(name string) (Account, bool) {
	for _, a := range f.accounts {
		if a.Name == name {
			return a, true
		}
	}
	return Account{}, false
}

// Default is the name of the default account: the one that the file says, or
// the only one; "" when there is none.
func (f *File) Default() string {
	if f.standard == "" && len(f.accounts) == 1 {
		return f.accounts[0].Name
	}
	return f.standard
}

// New is an account that has what every account inherits, to be completed and
// handed to Put.
func (f *File) New(name string) Account {
	a := f.defaults
	a.Name, a.Headers = name, slices.Clone(a.Headers)
	return a
}

// Put adds an account, or changes the keys of the one of that name that differ.
// An error is a [*ParseError] about what makes no sense, and nothing is changed.
func (f *File) Put(a Account) error {
	if a.SaveSent == "" {
		a.SaveSent = SaveNever
	}
	if !isName(a.Name) {
		return &ParseError{Path: f.path, Fault: FaultValue, Key: "account." + dottedKey([]string{a.Name}), Err: sentence.New("a name has letters, digits, - and _ only")}
	}
	before, existed := f.Account(a.Name)
	if !existed {
		before = f.New(a.Name)
	}
	source := f.source
	table := []string{"account", a.Name}
	was := before.keys(f.defaults)
	for i, k := range a.keys(f.defaults) {
		old := was[slices.IndexFunc(was, func(o keyValue) bool { return o.key == k.key })]
		if k == old && existed || !existed && !k.needed {
			continue
		}
		path := append(slices.Clone(table), k.key)
		l := layOut(source)
		single := slices.ContainsFunc(l.expressions, func(e expression) bool { return !e.header && slices.Equal(e.path, path) })
		if l.has(path) && (!k.needed || !single) {
			source = l.without(path)
			l = layOut(source)
		}
		if k.needed || i == 0 { // the first key makes the table
			source = l.with(table, k.key, k.value)
		}
	}
	return f.become(source, func(g *File) bool {
		got, _ := g.Account(a.Name)
		return got.same(a)
	})
}

// same compares what is written.
func (a Account) same(b Account) bool {
	clean := func(a Account) Account {
		if len(a.Match) == 0 {
			a.Match = nil
		}
		if len(a.OAuth2.Scopes) == 0 {
			a.OAuth2.Scopes = nil
		}
		if len(a.Headers) == 0 {
			a.Headers = nil
		}
		a.dir = ""
		return a
	}
	return reflect.DeepEqual(clean(a), clean(b))
}

// errByHand: what is to be changed stands in a form that is not edited here,
// like "account = { … }" in one line.
var errByHand = sentence.New("it is written in a form that only an editor can change")

// become takes a changed source, if it says what it should.
func (f *File) become(source []byte, says func(*File) bool) error {
	if len(f.source) == 0 && len(source) > 0 {
		source = append(fmt.Appendf(nil, "version = %d\n\n", Version), bytes.TrimLeft(source, "\n")...)
	}
	g, err := parse(f.path, source)
	if err != nil {
		return err
	}
	if !says(g) {
		return &ParseError{Path: f.path, Fault: FaultValue, Key: "account", Err: errByHand}
	}
	g.exists, g.onDisk = f.exists, f.onDisk
	*f = *g
	return nil
}

// Remove takes an account out, with the comments above it. That it is the
// default goes as well; an account that falls back to it is an error.
func (f *File) Remove(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknown(name)
	}
	source := f.layout.without([]string{"account", name})
	if f.standard == name {
		source = layOut(source).without([]string{"default"})
	}
	return f.become(source, func(g *File) bool {
		_, still := g.Account(name)
		return !still
	})
}

// SetDefault names the default account.
func (f *File) SetDefault(name string) error {
	if _, ok := f.Account(name); !ok {
		return f.unknown(name)
	}
	source := f.layout.with(nil, "default", quote(name))
	return f.become(source, func(g *File) bool { return g.standard == name })
}

// Bytes is the file as Save writes it.
func (f *File) Bytes() []byte { return slices.Clone(f.source) }

// Save writes the file, whole or not at all, for its owner alone. The error is
// [ErrChanged] when somebody else changed it since it was read. A link to a file
// stays one.
func (f *File) Save() error {
	target := throughLinks(f.path)
	mode := fs.FileMode(0o600)
	now, err := os.ReadFile(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.exists {
			return ErrChanged
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return sentence.Errorf("making the folder of the configuration: %w", err)
		}
	case err != nil:
		return sentence.Errorf("reading the configuration again: %w", err)
	case !f.exists || !bytes.Equal(now, f.onDisk):
		return ErrChanged
	default:
		if info, err := os.Stat(target); err == nil {
			mode = info.Mode().Perm()
		}
	}
	if err := writeWhole(target, f.source, mode); err != nil {
		return sentence.Errorf("writing the configuration: %w", err)
	}
	f.exists, f.onDisk = true, f.source
	return nil
}

// throughLinks is the file that a link stands for, also one that is not there
// yet.
func throughLinks(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	to, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if filepath.IsAbs(to) {
		return to
	}
	return filepath.Join(filepath.Dir(path), to)
}

// writeWhole puts a new file in the place of the old one at once.
func writeWhole(path string, data []byte, mode fs.FileMode) (err error) {
	t, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(t.Name()) // what is left behind matters less than err
		}
	}()
	_, err = t.Write(data)
	if err == nil {
		err = t.Chmod(mode)
	}
	if err == nil {
		err = t.Sync()
	}
	if closeErr := t.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	return err
}
