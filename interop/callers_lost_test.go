//go:build interop && linux

package interop

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter is a proxy that ends the first connection in place of passing on the
// reply to its message.
type cutter struct {
	listener    net.Listener
	server      string
	connections atomic.Int32
	lost        atomic.Pointer[string] // the reply that did not arrive
	running     sync.WaitGroup
}

func startCutter(t *testing.T, server string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cutter{listener: listener, server: server}
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			first := p.connections.Add(1) == 1
			p.running.Go(func() { p.pass(client, first) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.running.Wait()
	})
	return p
}

// pass copies both directions until one of them ends.
func (p *cutter) pass(client net.Conn, cuts bool) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.running.Go(func() {
		_, _ = io.Copy(server, client) // ends when either is closed
		_ = server.Close()
	})
	replies, inData := bufio.NewReader(server), false
	for {
		line, err := replies.ReadString('\n')
		if err != nil {
			return
		}
		if cuts && inData {
			p.lost.Store(&line)
			return
		}
		inData = strings.HasPrefix(line, "354")
		if _, err := io.WriteString(client, line); err != nil {
			return
		}
	}
}

// TestProgramsLoseTheReply cuts the connection after the message, so that the
// 250 is lost: no program tries again by itself, and each reports a failure. If
// a program tries again with the same object, the outbox has one message if its
// library keeps the Message-ID, and two otherwise.
func TestProgramsLoseTheReply(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	callers := m.presentCallers(t, smtpCallers())
	var table callerTable
	want := map[string]int{} // messages of a recipient
	t.Run("lost", func(t *testing.T) {
		for _, c := range callers {
			once, again := "once."+c.name+"@example.org", "again."+c.name+"@example.org"
			want[once] = 1
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := startCutter(t, m.address)
				exit, out := m.run(t, "mia", append(c.environment("mia@example.net", once), hostAndPort(t, p.listener.Addr().String())...), callerText, c.expand(m)...)
				if exit == 0 {
					t.Errorf("exit status 0\n%s", out)
				}
				if n, lost := p.connections.Load(), p.lost.Load(); n != 1 || lost == nil || !strings.HasPrefix(*lost, "250") {
					t.Errorf("%d connections, and it lost %v\n%s", n, lost, out)
				}
				table.add(c.name, "fails, does not try again")
			})
			if c.again == 0 {
				continue
			}
			want[again] = c.again
			t.Run(c.name+" again", func(t *testing.T) {
				t.Parallel()
				p := startCutter(t, m.address)
				environment := append(c.environment("mia@example.net", again), hostAndPort(t, p.listener.Addr().String())...)
				exit, out := m.run(t, "mia", append(environment, "AGAIN=1"), callerText, c.expand(m)...)
				if exit != 0 || p.connections.Load() != 2 {
					t.Errorf("exit status %d after %d connections\n%s", exit, p.connections.Load(), out)
				}
				table.add(c.name, map[int]string{1: "again: the same message", 2: "again: another message"}[c.again])
			})
		}
	})
	m.checkSettled(t, want)
	table.log(t, m, callers)
}
