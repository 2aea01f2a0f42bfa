//go:build unix

package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// In a directory that other users may write to, another user's socket is refused.
func TestAnothersSocketIsNotSpokenTo(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(shortTempDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(socket)
	if err != nil {
		t.Fatal(err)
	}
	me := os.Geteuid()
	if isForeign(info, me) {
		t.Error("the user's own socket counts as foreign")
	}
	if me != 0 {
		t.Skip("only the administrator can give files away")
	}
	if err := os.Lchown(socket, 64998, 64998); err != nil {
		t.Skip(err)
	}
	if info, err = os.Lstat(socket); err != nil || !isForeign(info, 64999) || isForeign(info, 64998) || isForeign(info, 0) {
		t.Errorf("another user's socket is accepted: %v", err)
	}
}

// A symbolic link at the lock's path creates no file elsewhere.
func TestALinkIsNoLock(t *testing.T) {
	t.Parallel()
	dir := shortTempDir(t)
	socket, elsewhere := filepath.Join(dir, "s"), filepath.Join(dir, "elsewhere")
	if err := os.Symlink(elsewhere, socket+".lock"); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(context.Background(), socket)
	if err == nil {
		_ = l.Close()
		t.Error("Listen accepts a symbolic link as its lock")
	}
	if _, err := os.Lstat(elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made elsewhere: %v", err)
	}
}

// A browser page whose host name resolves to the loopback address can't read anything.
func TestTheLoopbackAnswersToItsNames(t *testing.T) {
	t.Parallel()
	says := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "counts") })
	for _, test := range []struct {
		at   net.IP
		host string
		want int
	}{
		{net.IPv4(127, 0, 0, 1), "127.0.0.1:9090", 200},
		{net.IPv4(127, 0, 0, 1), "127.0.0.1", 200},
		{net.IPv4(127, 0, 0, 1), "LocalHost:9090", 200},
		{net.IPv6loopback, "[::1]:9090", 200},
		{net.IPv6loopback, "[::1]", 200},
		{net.IPv4(127, 0, 0, 1), "evil.example:9090", 421},
		{net.IPv4(127, 0, 0, 1), "localhost.evil.example", 421},
		{net.IPv6loopback, "evil.example", 421},
		{net.IPv4zero, "mail.example.org:9090", 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		requireLoopbackHost(&net.TCPAddr{IP: test.at}, says).ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s at %s: %d, want %d", test.host, test.at, w.Code, test.want)
		}
	}
}
