package secret

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/localerr"
)

// mostOctets bounds the length of a secret and of a netrc file.
const mostOctets = 256 << 10

// fromFile reads a secret from a file of its own.
func (v *Vault) fromFile(ctx context.Context, name string) (string, error) {
	path, err := v.expand(name)
	if err != nil {
		return "", &Error{Problem: NotFound, Path: name, Err: err}
	}
	data, err := readFile(ctx, path, owned)
	if err != nil {
		return "", err
	}
	return oneLine(path, decodeText(data))
}

func (v *Vault) fromEnv(name string) (string, error) {
	value := v.getenv(name)
	if value == "" {
		return "", &Error{Problem: NotFound}
	}
	return oneLine("", value)
}

// fromCredential reads a credential that systemd passes to a service (systemd.exec(5),
// LoadCredential). systemd controls who may read it.
func (v *Vault) fromCredential(ctx context.Context, name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		return "", &Error{Problem: NotFound, Err: errors.New("the name of a credential is a word without slashes")}
	}
	folder := v.getenv("CREDENTIALS_DIRECTORY")
	if folder == "" {
		return "", &Error{Problem: NotFound, Err: ErrNoCredentials}
	}
	path := filepath.Join(folder, name)
	data, err := readFile(ctx, path, anyones)
	if e, ok := errors.AsType[*Error](err); ok && e.Problem == NotFound {
		e.Err = OtherCredentials(credentialNames(folder))
	}
	if err != nil {
		return "", err
	}
	return oneLine(path, decodeText(data))
}

// ErrNoCredentials is wrapped by an Error of NotFound if systemd passed no credentials to this
// process.
var ErrNoCredentials = errors.New("CREDENTIALS_DIRECTORY is not set: systemd sets it for services with LoadCredential")

// OtherCredentials is wrapped by an Error of NotFound if systemd passed other credentials. It lists
// their names.
type OtherCredentials []string

func (o OtherCredentials) Error() string {
	if len(o) == 0 {
		return "systemd has passed no credential"
	}
	return "systemd has passed " + strings.Join(o, ", ")
}

// credentialNames lists at most twenty credentials.
func credentialNames(folder string) []string {
	const most = 20
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // that the credential is missing matters more
	}
	var names []string
	for _, e := range entries[:min(len(entries), most)] {
		names = append(names, e.Name())
	}
	if len(entries) > most {
		names = append(names, "…")
	}
	return names
}

// expand replaces a leading ~ in a file name by the home directory.
func (v *Vault) expand(name string) (string, error) {
	if name == "" {
		return "", errors.New("no file is named")
	}
	rest, ok := homedir.Cut(name)
	if !ok {
		return name, nil
	}
	home, err := v.home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, rest), nil
}

func (v *Vault) home() (string, error) {
	if home := cmp.Or(v.Home, homedir.Find(v.getenv)); home != "" {
		return home, nil
	}
	return "", errors.New("the home folder is not known: HOME is not set")
}

// allowedReaders says who may be able to read a file.
type allowedReaders int

const (
	owned   allowedReaders = iota // only its owner, who runs the program
	anyones                       // any user
)

// readFile reads a file. It stops waiting for a pipe's writer when ctx ends; the reading goroutine is
// then abandoned.
func readFile(ctx context.Context, path string, who allowedReaders) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	done := make(chan content, 1)
	go func() {
		data, err := readNow(path, who)
		done <- content{data, err}
	}()
	select {
	case c := <-done:
		return c.data, c.err
	case <-ctx.Done():
		return nil, &Error{Problem: Unreadable, Path: path, Err: contextError(ctx)}
	}
}

func readNow(path string, who allowedReaders) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Problem: NotFound, Path: path}
	case err != nil:
		return nil, &Error{Problem: Unreadable, Path: path, Err: systemReason(err)}
	}
	defer f.Close()
	info, err := f.Stat() // of the open file, not of its name
	if err != nil {
		return nil, &Error{Problem: Unreadable, Path: path, Err: systemReason(err)}
	}
	if info.IsDir() {
		return nil, &Error{Problem: Unreadable, Path: path, Err: errors.New("it is a folder")}
	}
	// A pipe delivers its content to one reader only, so its mode does not matter.
	if who == owned && info.Mode().IsRegular() {
		if err := checkPrivate(path, info); err != nil {
			return nil, &Error{Problem: Readable, Path: path, Err: err}
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, mostOctets+1))
	switch {
	case err != nil:
		return nil, &Error{Problem: Unreadable, Path: path, Err: systemReason(err)}
	case len(data) > mostOctets:
		return nil, &Error{Problem: Unreadable, Path: path, Err: fmt.Errorf("it is longer than %d octets", mostOctets)}
	}
	return data, nil
}

// systemReason returns a system error without the file names, which the Error has already.
func systemReason(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Err
	}
	if of, ok := errors.AsType[*os.LinkError](err); ok {
		return of.Err
	}
	return err
}

// decodeText converts UTF-16 with a byte order mark to UTF-8.
//
// QUIRK: Windows' Notepad and PowerShell's > write UTF-16 with a byte order mark; older versions of
// Notepad write UTF-8 with one, which Trim removes later.
func decodeText(data []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return string(data)
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return string(utf16.Decode(units))
}

// oneLine returns the secret that is alone in a text.
func oneLine(path, text string) (string, error) {
	text = Trim(text)
	switch {
	case text == "":
		return "", &Error{Problem: Empty, Path: path}
	case strings.ContainsAny(text, "\r\n"):
		return "", &Error{Problem: SeveralLines, Path: path}
	}
	return text, checkText(path, text)
}

// checkText rejects NUL octets, which no SASL mechanism can send (RFC 4616 section 2) and no editor
// writes.
func checkText(path, text string) error {
	if strings.ContainsRune(text, 0) {
		return &Error{Problem: Unreadable, Path: path, Err: errors.New("it holds a NUL octet, which no text does")}
	}
	return nil
}

// mostKept bounds the length of the encrypted file and of its list of names.
const mostKept = 16 << 20

// readKept reads a file that this package wrote. It refuses pipes and devices, because reading one
// might never end.
func readKept(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	case info.Size() > mostKept:
		return nil, &fs.PathError{Op: "read", Path: path, Err: &atomicfile.TooLongError{Most: mostKept}}
	}
	return os.ReadFile(path)
}

var errNotRegular = localerr.New("it is not a regular file")
