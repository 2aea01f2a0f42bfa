//go:build unix

package enquiry_test

import (
	"io"
	"net"
	"testing"
	"time"
)

// A user who keeps many connections open reaches a limit, until they are closed.
func TestConnectionsOfAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t).as("alice", 1000)
	var open []net.Conn
	for {
		c, err := net.Dial("unix", w.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(c, "GET /messages HTTP/1.1\r\nHost: yan\r\n\r\n"); err != nil {
			break // closed already
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			break
		}
		if open = append(open, c); len(open) > 100 {
			t.Fatal("a user may have any number of connections")
		}
	}
	if len(open) < 8 {
		t.Errorf("only %d connections", len(open))
	}
	for _, c := range open {
		c.Close()
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); { // the server notices the ends one after the other
		if w.list() == "" {
			return
		}
	}
	t.Errorf("closed connections still count: %s", w.list())
}
