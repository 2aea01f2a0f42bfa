package account

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/filelock"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Version is the version of the format that this program reads and writes.
const Version = 1

// File is a configuration in memory. It is not safe for concurrent use.
type File struct {
	format     *schema // nil: the schema of this program
	path       string
	mark       []byte // the byte order mark at the start, which stays
	source     []byte // the rest of the file
	exists     bool
	onDisk     []byte // the content that was read; Save compares it
	layout     tomlLayout
	standard   string // the account that the file names as default
	defaults   Account
	accounts   []Account
	outbox     Outbox
	local      map[string][]smtp.Address
	submit     Submit
	listenSMTP ListenSMTP
	listens    bool          // the file has [listen.smtp]
	faults     []*ParseError // from LoadLenient
	deferCheck bool          // within Together: only the final state is checked
}

// Path returns the path of the configuration: $YAN_CONFIG, else config.toml in the folder yan of
// $XDG_CONFIG_HOME, ~/.config, or on Windows %AppData%.
func Path(getenv func(string) string) (string, error) {
	if p := getenv("YAN_CONFIG"); p != "" {
		return p, nil
	}
	// The XDG specification says to ignore relative paths.
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "yan", "config.toml"), nil
	}
	if dir := getenv("AppData"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "yan", "config.toml"), nil
	}
	if home := homedir.Find(getenv); home != "" {
		return filepath.Join(home, ".config", "yan", "config.toml"), nil
	}
	return "", localerr.New("none of YAN_CONFIG, XDG_CONFIG_HOME and HOME is set")
}

// maxSize is the maximum size of a configuration, in octets.
const maxSize = 1 << 20

// Load reads a configuration of at most 1 MiB. A file that does not exist counts as empty. The
// error is a [*ParseError] if the file is not valid, or if others can write it. Load has no
// context: it waits as long as the file system does, and for the writer if path is a pipe.
func Load(path string) (*File, error) { return loadWith(path, accountSchema().parseStrict) }

func loadWith(path string, parse func(string, []byte) (*File, error)) (*File, error) {
	opened, err := atomicfile.Open(context.Background(), path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err := parse(path, nil)
		return f, err
	}
	if err != nil {
		return nil, err
	}
	defer opened.Close() // opened for reading: closing can't lose data
	info, err := opened.Stat()
	if err == nil {
		err = atomicfile.Trusted(path, info)
	}
	if untrusted, ok := errors.AsType[*atomicfile.UntrustedError](err); ok {
		return nil, &ParseError{Path: path, Fault: FaultWritable, Err: untrusted}
	}
	if err != nil {
		return nil, err
	}
	source, err := atomicfile.ReadAll(opened, maxSize)
	if long, ok := errors.AsType[*atomicfile.TooLongError](err); ok {
		return nil, &ParseError{Path: path, Fault: FaultSyntax, Err: long}
	}
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

// Parse reads a configuration from memory; path is its name in errors, and the file that Save
// writes.
func Parse(path string, source []byte) (*File, error) {
	return accountSchema().parseStrict(path, source)
}

// Path returns the path of the file that was read and that Save writes.
func (f *File) Path() string { return f.path }

// Exists reports whether the file existed when it was read.
func (f *File) Exists() bool { return f.exists }

// Accounts returns the accounts in the order of the file.
func (f *File) Accounts() []Account { return slices.Clone(f.accounts) }

// Account returns the account with a name.
func (f *File) Account(name string) (Account, bool) {
	for _, a := range f.accounts {
		if a.Name == name {
			return a, true
		}
	}
	return Account{}, false
}

// Default returns the name of the default account: the one that the file names, or the only one;
// "" if there is none.
func (f *File) Default() string {
	if f.standard == "" && len(f.accounts) == 1 {
		return f.accounts[0].Name
	}
	return f.standard
}

// Bytes returns the file as Save writes it.
func (f *File) Bytes() []byte { return slices.Concat(f.mark, f.source) }

// Save writes the file atomically, readable by its owner only. The error is [ErrChanged] if the
// file was changed after it was read; a lock file with ".lock" at the end of its name keeps two
// programs from writing at once. A symbolic link stays a link.
func (f *File) Save() error {
	target := throughLinks(f.path)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return localerr.Errorf("creating the folder of the configuration: %w", err)
	}
	// The lock is held from the comparison to the replacement.
	unlock, err := filelock.Lock(context.Background(), target+".lock")
	if err != nil {
		return localerr.Errorf("locking the configuration: %w", err)
	}
	defer unlock()
	mode, err := f.checkUnchanged(target)
	if err != nil {
		return err
	}
	now := f.Bytes()
	if err := atomicfile.Write(target, now, mode); err != nil {
		return localerr.Errorf("writing the configuration: %w", err)
	}
	f.exists, f.onDisk = true, now
	return nil
}

// checkUnchanged checks that the file on disk is the one that was read, and returns its mode.
func (f *File) checkUnchanged(target string) (fs.FileMode, error) {
	now, err := atomicfile.Read(context.Background(), target, maxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !f.exists:
		return 0o600, nil
	case errors.Is(err, fs.ErrNotExist):
		return 0, ErrChanged
	case err != nil:
		return 0, localerr.Errorf("rereading the configuration: %w", err)
	case !f.exists || !bytes.Equal(now, f.onDisk):
		return 0, ErrChanged
	}
	info, err := os.Stat(target)
	if err != nil {
		return 0, localerr.Errorf("rereading the configuration: %w", err)
	}
	return info.Mode().Perm(), nil
}

// throughLinks returns the target of a symbolic link, even if the target does not exist.
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
