package smtpserver

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
)

func TestTCPUser(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Log(err) // no IPv6
			continue
		}
		defer l.Close()
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		uid, err := TCPUser(server)
		if err != nil || uid != os.Getuid() {
			t.Errorf("%s: uid %d, %v; want %d", address, uid, err, os.Getuid())
		}
		// A client that has closed its socket must not count as root.
		_ = client.Close()
		if _, err := io.Copy(io.Discard, server); err != nil {
			t.Fatal(err)
		}
		if uid, err := TCPUser(server); !errors.Is(err, ErrNoTCPUser) {
			t.Errorf("%s: after the client's close, uid %d, %v", address, uid, err)
		}
	}
}
