package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
)

// maxSocket bounds the length of a socket's path: sockaddr_un has room for 104 octets on BSD and
// macOS and 108 on Linux, including the final zero. A socket is created under a temporary path that
// is tempName longer than its directory.
const (
	maxSocket = 103
	tempName  = len("/.yan-0123456789/s")
)

// ErrSocket: the socket can't be created.
var ErrSocket = localerr.New("can't create the socket")

// BusyError: another process serves at the socket.
type BusyError struct {
	Socket string
	PID    int // 0 if it does not answer
	Since  time.Time
}

// Error names the socket and the process that has it.
func (e *BusyError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the translatable sentence of Error.
func (e *BusyError) Unwrap() error {
	if e.PID == 0 {
		return localerr.Errorf("another yan serve uses the socket %s", e.Socket)
	}
	return localerr.Errorf("another yan serve uses the socket %s: process %d, since %s", e.Socket, e.PID, e.Since.Local().Format(time.DateTime))
}

// SocketPath returns the path of the socket between the daemon of an outbox and its commands. The
// socket of an outbox file is next to the file, the same for every user. For an outbox in a
// database, or if that path is too long, it is in $XDG_RUNTIME_DIR/yan. SocketPath returns "" if
// there is no such directory. The password and the parameters of a database URL do not affect it.
func SocketPath(where string, getenv func(string) string) string {
	name := outbox.DescribeName(where)
	if abs, err := filepath.Abs(where); err == nil && !outbox.IsPostgres(where) {
		name = resolveLinks(abs)
		if beside := name + ".sock"; fitsSocketName(beside) {
			return beside
		}
	}
	dir := getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(dir, "yan", hex.EncodeToString(sum[:8])+".sock")
	if !fitsSocketName(path) {
		return ""
	}
	return path
}

func fitsSocketName(socket string) bool {
	return len(socket) <= maxSocket && len(filepath.Dir(socket))+tempName <= maxSocket
}

// resolveLinks resolves symbolic links, so that an outbox has one socket by every path that leads to it.
// The file itself need not exist yet.
func resolveLinks(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// Listener is a listening socket with the lock that protects its path.
type Listener struct {
	net.Listener
	path  string
	lock  *flock.Flock
	close func() error // runs once: later another process may own the path
}

// Listen opens a socket that only this user can connect to. It replaces the socket of a dead
// process; while another process serves there, the error is a *BusyError. A lock on a file next to
// the socket, which is never removed, tells the two cases apart.
func Listen(ctx context.Context, path string) (*Listener, error) {
	return listenAt(path, 0o700, 0o600, func() error { return busyError(ctx, path) })
}

// ListenPublic is Listen for a socket that every user of this machine can connect to. No other user may
// be able to create files in its directory, not even in one like /tmp: while the daemon is down, such
// a user could listen there and read what others hand over.
func ListenPublic(path string) (*Listener, error) {
	if err := checkPublicDir(path); err != nil {
		return nil, localerr.Errorf("%w: %w", ErrSocket, err)
	}
	return listenAt(path, 0o755, 0o666, func() error { return &BusyError{Socket: path} })
}

func checkPublicDir(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is created
	}
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode()&0o002 != 0 { // sticky or not
		return &atomicfile.UntrustedError{Path: dir, Folder: true, Reason: atomicfile.OthersWrite}
	}
	return atomicfile.Trusted(path, info)
}

// listenAt opens a socket with a mode, in a directory that it creates with another if it is missing.
// busy returns the error if another process has the socket.
func listenAt(path string, dirMode, mode fs.FileMode, busy func() error) (*Listener, error) {
	if !fitsSocketName(path) {
		return nil, localerr.Errorf("%w: the path is too long: %s", ErrSocket, path)
	}
	dir := filepath.Dir(path)
	if err := createDir(dir, dirMode); err != nil {
		return nil, localerr.Errorf("%w: %w", ErrSocket, err)
	}
	lock := flock.New(path+".lock", flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		err = busy()
	} else if err != nil {
		err = localerr.Errorf("%w: %w", ErrSocket, err)
	}
	var l net.Listener
	if err == nil {
		l, err = createSocket(dir, path, mode)
	}
	if err != nil {
		_ = lock.Close() // nothing was written to it
		return nil, err
	}
	listener := &Listener{Listener: l, path: path, lock: lock}
	listener.close = sync.OnceValue(listener.release)
	return listener, nil
}

// createDir creates a directory that is missing. The mode does not depend on the umask, which a
// service sets to 077.
func createDir(dir string, mode fs.FileMode) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// busyError returns the BusyError of the process that has the socket.
func busyError(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	e := &BusyError{Socket: path}
	if c, err := Dial(ctx, path); err == nil {
		e.PID, e.Since = c.Found.PID, c.Found.Since
		c.Close()
	}
	return e
}

// createSocket creates the socket in a private directory, sets its mode, and renames it to path,
// replacing the socket of a dead process.
func createSocket(dir, path string, mode fs.FileMode) (net.Listener, error) {
	temp, err := os.MkdirTemp(dir, ".yan-")
	if err != nil {
		return nil, localerr.Errorf("%w: %w", ErrSocket, err)
	}
	defer os.RemoveAll(temp)
	made := filepath.Join(temp, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, localerr.Errorf("%w: %w", ErrSocket, err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(made, mode); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(localerr.Errorf("%w: %w", ErrSocket, err), l.Close())
	}
	return l, nil
}

// Close removes the socket and then releases its path. It may be called more than once.
func (l *Listener) Close() error { return l.close() }

func (l *Listener) release() error {
	err := l.Listener.Close()
	if gone := os.Remove(l.path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return errors.Join(err, l.lock.Close())
}

// MetricsAddress parses the address for metrics. A port alone, with or without a colon, means
// 127.0.0.1; all addresses have to be asked for with 0.0.0.0 or [::].
func MetricsAddress(s string) (string, error) {
	if !strings.Contains(s, ":") {
		s = ":" + s
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", localerr.Errorf("%q: want a port or host:port", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", localerr.Errorf("%q: want a port or host:port", s)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
