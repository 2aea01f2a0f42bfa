package torture

import (
	"errors"
	"fmt"
	"net"
)

// Gate is a listener on 127.0.0.1 that serves one [Proxy] after the other. A
// socket that was cut keeps its port from being used for a minute; with a gate
// for many courses that is one port, and not one for each.
type Gate struct{ listener *net.TCPListener }

// NewGate listens on a free port. The caller closes it.
func NewGate() (*Gate, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listen for clients: %w", err)
	}
	return &Gate{listener: l}, nil
}

// Port is where clients connect to.
func (g *Gate) Port() int { return g.listener.Addr().(*net.TCPAddr).Port }

// Close stops listening.
func (g *Gate) Close() error { return g.listener.Close() }

// accept hands connections to take until shut has knocked.
func (g *Gate) accept(take func(*net.TCPConn), isDown func() bool, knock <-chan net.Addr) {
	var knocker net.Addr
	for {
		conn, err := g.listener.AcceptTCP()
		if err != nil {
			return // the gate is closed; nothing else makes a loopback listener fail for good
		}
		if !isDown() {
			take(conn)
			continue
		}
		if knocker == nil {
			knocker = <-knock
		}
		_ = conn.SetLinger(0)
		_ = conn.Close()
		if knocker == nil || conn.RemoteAddr().String() == knocker.String() {
			return
		}
	}
}

// shut connects once more: what came before that was accepted before that, so
// that no connection is left over for the next course.
func (g *Gate) shut(knock chan<- net.Addr) error {
	conn, err := net.DialTCP("tcp", nil, g.listener.Addr().(*net.TCPAddr))
	if err != nil {
		return errors.Join(fmt.Errorf("the gate can't be shut: %w", err), g.Close())
	}
	knock <- conn.LocalAddr()
	_ = conn.SetLinger(0)
	return conn.Close()
}
