package faultproxy

import (
	"errors"
	"fmt"
	"net"
)

// Gate is a listener on 127.0.0.1 that serves one [Proxy] after another. A socket that was cut
// blocks its port for a minute; with a gate, many courses use one port.
type Gate struct{ listener *net.TCPListener }

// NewGate listens on a free port. The caller closes it.
func NewGate() (*Gate, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listen for clients: %w", err)
	}
	return &Gate{listener: l}, nil
}

// Port returns the port for clients.
func (g *Gate) Port() int { return g.listener.Addr().(*net.TCPAddr).Port }

// Close stops listening.
func (g *Gate) Close() error { return g.listener.Close() }

// accept passes connections to take until shut has connected.
func (g *Gate) accept(take func(*net.TCPConn), isDown func() bool, knock <-chan net.Addr) {
	var knocker net.Addr
	for {
		conn, err := g.listener.AcceptTCP()
		if err != nil {
			return // the gate is closed; a loopback listener fails for no other lasting reason
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

// shut connects once more. Connections that were made before it are accepted before it, so that
// none is left for the next course.
func (g *Gate) shut(knock chan<- net.Addr) error {
	conn, err := net.DialTCP("tcp", nil, g.listener.Addr().(*net.TCPAddr))
	if err != nil {
		return errors.Join(fmt.Errorf("the gate can't be shut: %w", err), g.Close())
	}
	knock <- conn.LocalAddr()
	_ = conn.SetLinger(0)
	return conn.Close()
}
