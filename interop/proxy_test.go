//go:build interop && linux

package interop

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// stripProxy is between client and server and removes STARTTLS from the
// server's replies to EHLO, as an attacker on the path would. It records the
// client's side, so that a test can check that no secret was sent.
type stripProxy struct {
	port int

	mu       sync.Mutex
	said     bytes.Buffer
	stripped int // removed lines
}

func startStripProxy(t *testing.T, server int) *stripProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &stripProxy{port: listener.Addr().(*net.TCPAddr).Port}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed by close
			}
			connections.Go(func() { p.relay(client, server) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		connections.Wait()
	})
	return p
}

func (p *stripProxy) relay(client net.Conn, server int) {
	defer client.Close()
	upstream, err := net.Dial("tcp", loopback(server))
	if err != nil {
		return
	}
	defer upstream.Close()
	var towards sync.WaitGroup
	towards.Go(func() {
		_, _ = io.Copy(upstream, io.TeeReader(client, p)) // ends when the connection is lost
		upstream.(*net.TCPConn).CloseWrite()
	})
	lines := bufio.NewReader(upstream)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if strings.Contains(strings.ToUpper(line), "STARTTLS") {
			p.mu.Lock()
			p.stripped++
			p.mu.Unlock()
			// The line may be the last one, so a harmless word replaces it.
			line = line[:4] + "XXXXXXXX\r\n"
		}
		if _, err := io.WriteString(client, line); err != nil {
			break
		}
	}
	client.Close()
	towards.Wait()
}

// Write records the client's side.
func (p *stripProxy) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

// heard returns the client's lines and the number of removed ones.
func (p *stripProxy) heard() (said string, stripped int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String(), p.stripped
}
