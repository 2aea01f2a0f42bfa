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
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
)

// maxSocket is how long the path of a socket may be: sockaddr_un has room for 104
// octets on BSD and macOS, 108 on Linux, with a zero behind. Before a socket is in its
// place it has a name that is tempName longer than its folder.
const (
	maxSocket = 103
	tempName  = len("/.yan-0123456789/s")
)

// ErrSocket: the socket can't be made.
var ErrSocket = sentence.New("the socket can't be made")

// BusyError: another process serves at the socket.
type BusyError struct {
	Socket string
	PID    int // 0 when it does not answer
	Since  time.Time
}

// Error names the socket and who has it.
func (e *BusyError) Error() string { return e.Unwrap().Error() }

// Unwrap is what Error says, for other languages.
func (e *BusyError) Unwrap() error {
	if e.PID == 0 {
		return sentence.Errorf("another yan serve has the socket %s", e.Socket)
	}
	return sentence.Errorf("another yan serve has the socket %s: process %d, since %s", e.Socket, e.PID, e.Since.Local().Format(time.DateTime))
}

// SocketPath is where the daemon of an outbox and the commands meet: beside the file of
// an outbox, whoever looks for it; for one in a database, or where that path is too
// long, in the folder of this user's sockets, $XDG_RUNTIME_DIR/yan. It is "" where
// there is no such place. Passwords and parameters of a URL don't count.
func SocketPath(where string, getenv func(string) string) string {
	name := outbox.Describe(where)
	if abs, err := filepath.Abs(where); err == nil && !outbox.IsPostgres(where) {
		name = real(abs)
		if beside := name + ".sock"; fits(beside) {
			return beside
		}
	}
	dir := getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(dir, "yan", hex.EncodeToString(sum[:8])+".sock")
	if !fits(path) {
		return ""
	}
	return path
}

func fits(socket string) bool {
	return len(socket) <= maxSocket && len(filepath.Dir(socket))+tempName <= maxSocket
}

// real follows links, so that an outbox has one socket by whatever way one comes to
// it. The file itself may not be there yet.
func real(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// Listener is a socket in its place.
type Listener struct {
	net.Listener
	path  string
	lock  *flock.Flock
	close func() error // once: then the place may be another's
}

// Listen opens a socket that only this user can speak to. One that a dead process left
// is replaced; while another process serves there, the error is a *BusyError. A lock
// on a file beside it, which stays, tells them apart.
func Listen(ctx context.Context, path string) (*Listener, error) {
	if !fits(path) {
		return nil, sentence.Errorf("%w: its path is too long: %s", ErrSocket, path)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, sentence.Errorf("%w: %w", ErrSocket, err)
	}
	lock := flock.New(path+".lock", flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		err = busy(ctx, path)
	} else if err != nil {
		err = sentence.Errorf("%w: %w", ErrSocket, err)
	}
	var l net.Listener
	if err == nil {
		l, err = place(dir, path)
	}
	if err != nil {
		_ = lock.Close() // nothing was written to it
		return nil, err
	}
	listener := &Listener{Listener: l, path: path, lock: lock}
	listener.close = sync.OnceValue(listener.leave)
	return listener, nil
}

// busy asks who has the socket.
func busy(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	e := &BusyError{Socket: path}
	if c, err := Dial(ctx, path); err == nil {
		e.PID, e.Since = c.Found.PID, c.Found.Since
		c.Close()
	}
	return e
}

// place makes the socket where nobody else can reach it, closes it to others, and
// moves it to its place, over what a dead process left there.
func place(dir, path string) (net.Listener, error) {
	temp, err := os.MkdirTemp(dir, ".yan-")
	if err != nil {
		return nil, sentence.Errorf("%w: %w", ErrSocket, err)
	}
	defer os.RemoveAll(temp)
	made := filepath.Join(temp, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, sentence.Errorf("%w: %w", ErrSocket, err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(sentence.Errorf("%w: %w", ErrSocket, err), l.Close())
	}
	return l, nil
}

// Close takes the socket away, and then lets others have its place. It may be called
// again.
func (l *Listener) Close() error { return l.close() }

func (l *Listener) leave() error {
	err := l.Listener.Close()
	if gone := os.Remove(l.path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return errors.Join(err, l.lock.Close())
}

// MetricsAddress reads where the metrics are to be: a port alone, with or without a
// colon, is one of this machine's loopback; who wants all addresses says so, with
// 0.0.0.0 or [::].
func MetricsAddress(s string) (string, error) {
	if !strings.Contains(s, ":") {
		s = ":" + s
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", sentence.Errorf("%q: want a port or host:port", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", sentence.Errorf("%q: want a port or host:port", s)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
