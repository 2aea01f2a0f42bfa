//go:build linux || darwin || freebsd

package peeruser_test

import (
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/yanmail/yan/internal/intake/peeruser"
)

// socketPair returns the two ends of a connection over a Unix socket.
func socketPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestUserOfConnection(t *testing.T) {
	t.Parallel()
	client, server := socketPair(t)
	for _, end := range []net.Conn{client, server} {
		got, err := peeruser.OfConn(end)
		if err != nil || got.UID != os.Geteuid() || got != peeruser.Of(os.Geteuid()) {
			t.Errorf("got %+v, %v; want UID %d", got, err, os.Geteuid())
		}
	}
	if me, err := user.Current(); err == nil {
		if got, _ := peeruser.OfConn(server); got.Name != me.Username {
			t.Errorf("name %q, want %q", got.Name, me.Username)
		}
	}
}

// The kernel keeps the user of a process that has ended since.
func TestUserOfClosedConnection(t *testing.T) {
	t.Parallel()
	client, server := socketPair(t)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := peeruser.OfConn(server); err != nil || got.UID != os.Geteuid() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNoUserOverTCP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := peeruser.OfConn(c); !errors.Is(err, peeruser.ErrUnsupported) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOwnerOfFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := peeruser.OfFile(info); err != nil || got.UID != os.Geteuid() {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A user that the user database lacks gets a name that no login name can be.
func TestUserWithoutName(t *testing.T) {
	t.Parallel()
	uid := 3_999_999_777
	if _, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		t.Skip("the UID is in use here")
	}
	if got := peeruser.Of(uid); got.Name != "#3999999777" || got.UID != uid || got.IsRoot() {
		t.Errorf("got %+v", got)
	}
	if !peeruser.Of(0).IsRoot() {
		t.Error("UID 0 is not root")
	}
}
