// Package tokens keeps the tokens with which programs log in to 'yan serve': a name, what it may do,
// and a hash of the secret. The file tokens.toml is next to the configuration.
//
// A secret is 160 random bits, so that SHA-256 without a salt and without rounds protects it: no one
// can try that many (decision 46). The secret is in no file, error or log.
package tokens

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/filelock"
	"github.com/yanmail/yan/internal/localerr"
)

// ProgramToken is what a program that logs in with a token may do.
type ProgramToken struct {
	// Name is the user name of the login.
	Name string
	// Account is the account that sends.
	Account string
	// From lists the senders that the program may use: addresses, patterns like "*@example.com", or
	// "*". If it is empty, senders that the account does not have are rewritten.
	From []string
	// PerHour limits the recipients in an hour; 0 means no limit.
	PerHour int
	// MaxRecipients limits the recipients of a message; 0 means the default of package admission.
	MaxRecipients int
	Created       time.Time

	hash [sha256.Size]byte
}

// TokenFile is the content of a file of tokens.
type TokenFile struct{ list map[string]ProgramToken }

// The errors that a caller may compare with.
var (
	// ErrExists: the name is taken.
	ErrExists = localerr.New("there is a token with this name already")
	// ErrUnknown: no token has that name.
	ErrUnknown = localerr.New("there is no token with this name")
)

// FileError is a file of tokens that can't be used.
type FileError struct {
	Path string
	Line int // from 1; 0 if unknown
	Err  error
}

// Error names the file and the line.
func (e *FileError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the translatable sentence of Error, which wraps the cause.
func (e *FileError) Unwrap() error {
	if e.Line > 0 {
		return localerr.Errorf("%s, line %d: %w", e.Path, e.Line, e.Err)
	}
	return localerr.Errorf("%s: %w", e.Path, e.Err)
}

// Path returns the path of the file of tokens of a configuration.
func Path(config string) string { return filepath.Join(filepath.Dir(config), "tokens.toml") }

// maxSize limits the file, in octets: about 5,000 tokens.
const maxSize = 1 << 20

// Load reads a file of tokens. A missing file has none. The error is a [*FileError] if others can
// write the file, or if it is not valid.
func Load(ctx context.Context, path string) (*TokenFile, error) {
	opened, err := atomicfile.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return &TokenFile{}, nil
	}
	if err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	defer opened.Close() // only read
	info, err := opened.Stat()
	if err == nil {
		err = atomicfile.Trusted(path, info)
	}
	var source []byte
	if err == nil {
		source, err = atomicfile.ReadAll(opened, maxSize)
	}
	if err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	return parseTokens(path, source)
}

// List returns the tokens by name.
func (f *TokenFile) List() []ProgramToken {
	return slices.SortedFunc(maps.Values(f.list), func(a, b ProgramToken) int { return strings.Compare(a.Name, b.Name) })
}

// Find returns the token with a name.
func (f *TokenFile) Find(name string) (ProgramToken, bool) {
	t, ok := f.list[name]
	return t, ok
}

// Check returns the token of a login. An unknown name takes as long as a wrong secret.
func (f *TokenFile) Check(name, secret string) (ProgramToken, bool) {
	t, known := f.list[name]
	hash := sha256.Sum256([]byte(secret))
	same := subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1
	return t, same && known
}

// New adds a token to the file at path, and returns its secret. like is a file of the same owner
// and group as a new file gets if root creates it: the configuration. The error is ErrExists if the
// name is taken.
func New(ctx context.Context, path, like string, t ProgramToken, random io.Reader) (secret string, err error) {
	if err := CheckName(t.Name); err != nil {
		return "", err
	}
	bits := make([]byte, 20)
	if _, err := io.ReadFull(random, bits); err != nil {
		return "", localerr.Errorf("making a token: %w", err)
	}
	secret = prefix + strings.ToLower(base32.StdEncoding.EncodeToString(bits))
	t.hash = sha256.Sum256([]byte(secret))
	return secret, change(ctx, path, like, func(f *TokenFile) error {
		if _, ok := f.list[t.Name]; ok {
			return ErrExists
		}
		if f.list == nil {
			f.list = map[string]ProgramToken{}
		}
		f.list[t.Name] = t
		return nil
	})
}

// prefix begins every secret, so that programs that look for secrets in repositories can find it.
const prefix = "yan_"

// Remove removes a token from the file at path. The error is ErrUnknown if there is none.
func Remove(ctx context.Context, path, name string) error {
	return change(ctx, path, path, func(f *TokenFile) error {
		if _, ok := f.list[name]; !ok {
			return ErrUnknown
		}
		delete(f.list, name)
		return nil
	})
}

// CheckName accepts names that a program can use as the user name of a login. Some devices accept
// only an e-mail address there.
func CheckName(name string) error {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.@+", r)
	}
	if name == "" || len(name) > 64 || strings.HasPrefix(name, "-") || strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }) {
		return localerr.Errorf("%q: a name of a token may contain only letters, digits, and - _ . @ +", name)
	}
	return nil
}

// change reads, changes and replaces the file, while no other process does.
func change(ctx context.Context, path, like string, do func(*TokenFile) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	unlock, err := filelock.Lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	f, err := Load(ctx, path)
	if err != nil {
		return err
	}
	if err := do(f); err != nil {
		return err
	}
	written, err := atomicfile.WriteTemp(path, f.format(), 0o600)
	if err != nil {
		return err
	}
	if _, missing := os.Stat(path); missing == nil {
		like = path
	}
	if err = atomicfile.OwnLike(written, like); err == nil {
		err = os.Rename(written, path)
	}
	if err != nil {
		_ = os.Remove(written) // err says more
		return err
	}
	return atomicfile.SyncFolder(filepath.Dir(path))
}

// tokenTable is a token in the file.
type tokenTable struct {
	Account       string    `toml:"account"`
	From          []string  `toml:"from,omitempty"`
	PerHour       int       `toml:"per_hour,omitempty"`
	MaxRecipients int       `toml:"max_rcpt,omitempty"`
	Created       time.Time `toml:"created"`
	SHA256        string    `toml:"sha256"`
}

type tokenDocument struct {
	Version int                   `toml:"version"`
	Token   map[string]tokenTable `toml:"token"`
}

const version = 1

func parseTokens(path string, source []byte) (*TokenFile, error) {
	var d tokenDocument
	err := toml.NewDecoder(bytes.NewReader(source)).DisallowUnknownFields().Decode(&d)
	var strict *toml.StrictMissingError
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		line, _ := strict.Errors[0].Position()
		return nil, &FileError{Path: path, Line: line, Err: localerr.New("unknown key")}
	case errors.As(err, &decode):
		line, _ := decode.Position()
		return nil, &FileError{Path: path, Line: line, Err: localerr.New("it is not a file of tokens")}
	case err != nil:
		return nil, &FileError{Path: path, Err: localerr.New("it is not a file of tokens")}
	case d.Version > version:
		return nil, &FileError{Path: path, Err: localerr.Errorf("its version is %d, but this program supports versions up to %d", d.Version, version)}
	}
	f := &TokenFile{list: map[string]ProgramToken{}}
	for _, name := range slices.Sorted(maps.Keys(d.Token)) {
		t := d.Token[name]
		hash, err := hex.DecodeString(t.SHA256)
		if err != nil || len(hash) != sha256.Size {
			return nil, &FileError{Path: path, Err: localerr.Errorf("token %s has no valid hash", name)}
		}
		if err := CheckName(name); err != nil {
			return nil, &FileError{Path: path, Err: err}
		}
		if t.PerHour < 0 || t.MaxRecipients < 0 {
			return nil, &FileError{Path: path, Err: localerr.Errorf("token %s has a limit below zero", name)}
		}
		f.list[name] = ProgramToken{Name: name, Account: t.Account, From: t.From, PerHour: t.PerHour, MaxRecipients: t.MaxRecipients,
			Created: t.Created, hash: [sha256.Size]byte(hash)}
	}
	return f, nil
}

// format returns the file as it is written.
func (f *TokenFile) format() []byte {
	var b bytes.Buffer
	b.WriteString("# Written by 'yan token'. It holds hashes of the tokens, not the tokens.\n")
	d := tokenDocument{Version: version, Token: map[string]tokenTable{}}
	for name, t := range f.list {
		d.Token[name] = tokenTable{Account: t.Account, From: t.From, PerHour: t.PerHour, MaxRecipients: t.MaxRecipients, Created: t.Created, SHA256: hex.EncodeToString(t.hash[:])}
	}
	_ = toml.NewEncoder(&b).Encode(d) // texts, numbers and times can be encoded
	return b.Bytes()
}
