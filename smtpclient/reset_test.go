package smtpclient_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/smtpclient"
)

// Over a real socket a server that hangs up with unread octets resets the connection. Its
// refusal, sent just before, is still read.
func TestRefusalBeforeAResetIsHeard(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 100_000)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			resetMidway(conn)
		}
	})
	cfg := plainConfig()
	cfg.Host, cfg.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: long}}
	for range 30 {
		conn, err := smtpclient.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(conn.Send(t.Context(), tx)); got != "refused@body 552" {
			t.Errorf("outcome %s", got)
		}
		conn.Close()
	}
	listener.Close()
	served.Wait()
}

// resetMidway accepts a message, reads a part of it, refuses and hangs up.
func resetMidway(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for _, said := range []string{"220 hi\r\n", "250 hi\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"} {
		if _, err := io.WriteString(conn, said); err != nil {
			return
		}
		if said == "354 go\r\n" {
			break
		}
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
	}
	if _, err := io.CopyN(io.Discard, r, 500_000); err != nil {
		return
	}
	_, _ = io.WriteString(conn, "552 5.3.4 too much\r\n")
}
