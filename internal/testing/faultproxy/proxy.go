package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Action is the effect of a fault.
type Action int

const (
	// Cut closes both connections properly (FIN) and discards later data.
	Cut Action = iota
	// Reset closes both with a TCP reset, which discards data in transit.
	Reset
	// Stall forwards nothing in either direction until Release. Then the octets that the client had
	// written to the kernel arrive, as on a link that recovers too late.
	Stall
	// StallReplies forwards the client's octets and holds the replies.
	StallReplies
)

// Actions lists all actions.
func Actions() []Action { return []Action{Cut, Reset, Stall, StallReplies} }

// String returns the action's word in the names of tests.
func (a Action) String() string { return [...]string{"cut", "reset", "stall", "stall-replies"}[a] }

// Fault is an action at a place of one connection.
type Fault struct {
	Conn   int // counted from 1
	Action Action
	// Reply acts after the server's reply of this number (the greeting is 1) or, with Instead, when
	// the proxy has it and before the client gets it. 0 without Message means before the greeting.
	Reply   int
	Instead bool
	// Message, counted from 1 on its connection, acts when that many octets of the message were
	// forwarded, including stuffed dots and the final dot.
	Message int
	Octets  int64
}

// String returns the action and the place.
func (f Fault) String() string {
	switch {
	case f.Message > 0:
		return fmt.Sprintf("%d:%s@message%d+%d", f.Conn, f.Action, f.Message, f.Octets)
	case f.Instead:
		return fmt.Sprintf("%d:%s@reply%d-lost", f.Conn, f.Action, f.Reply)
	}
	return fmt.Sprintf("%d:%s@reply%d", f.Conn, f.Action, f.Reply)
}

// Shape says how octets are forwarded apart from faults.
type Shape struct {
	// Up and Down are the sizes of the writes to the server and to the client, used in turn; empty
	// forwards data as it arrives.
	Up, Down []int
	// Clump holds replies back until there are that many, or all that are due; 0 and 1 hold none.
	Clump int
}

// Config configures a Proxy.
type Config struct {
	// Serve is the server: it is called with each connection and returns at once.
	Serve  func(net.Conn)
	Gate   *Gate // the port for clients; nil creates one for this proxy
	Faults []Fault
	Shape  Shape
}

// Seen is the traffic of one connection.
type Seen struct {
	Replies  int
	Messages []int64 // octets of each body
}

// Proxy forwards connections and puts faults into them.
type Proxy struct {
	cfg      Config
	gate     *Gate
	knock    chan net.Addr
	accepted chan struct{} // closed when no more connections are accepted
	group    sync.WaitGroup
	release  chan struct{}
	once     sync.Once
	record   transcript

	mu    sync.Mutex
	links []*proxyLink
	acted int
	down  bool
}

// Start takes connections from the gate. The caller closes the proxy.
func Start(cfg Config) (*Proxy, error) {
	p := &Proxy{cfg: cfg, gate: cfg.Gate, knock: make(chan net.Addr, 1), accepted: make(chan struct{}), release: make(chan struct{})}
	if p.gate == nil {
		var err error
		if p.gate, err = NewGate(); err != nil {
			return nil, err
		}
	}
	go func() {
		defer close(p.accepted)
		p.gate.accept(p.connect, p.isDown, p.knock)
	}()
	return p, nil
}

// Port returns the port for clients on 127.0.0.1.
func (p *Proxy) Port() int { return p.gate.Port() }

func (p *Proxy) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

// connect connects a client to the server.
func (p *Proxy) connect(client *net.TCPConn) {
	near, far := newPipe()
	p.mu.Lock()
	l := &proxyLink{proxy: p, number: len(p.links) + 1, client: client, server: near,
		ended: [2]chan struct{}{make(chan struct{}), make(chan struct{})}, open: 2}
	l.track.due = 1
	for _, f := range p.cfg.Faults {
		if f.Conn == l.number {
			l.faults = append(l.faults, f)
		}
	}
	p.links = append(p.links, l)
	p.mu.Unlock()
	if f := l.takeFault(func(f Fault) bool { return f.Message == 0 && f.Reply == 0 }); f != nil {
		l.carryOut(*f)
	}
	p.cfg.Serve(far)
	p.group.Go(l.forwardClient)
	p.group.Go(l.forwardReplies)
}

// Release ends all stalls, also future ones: held data is forwarded.
func (p *Proxy) Release() { p.once.Do(func() { close(p.release) }) }

// Close ends all connections and waits for them. Calling it again does nothing. Released data has
// arrived if both sides had closed their connections.
func (p *Proxy) Close() error {
	p.Release()
	p.mu.Lock()
	if p.down {
		p.mu.Unlock()
		return nil
	}
	p.down = true
	p.mu.Unlock()
	err := p.gate.shut(p.knock)
	<-p.accepted
	p.mu.Lock()
	links := p.links
	p.mu.Unlock()
	for _, l := range links {
		l.close()
	}
	p.group.Wait()
	if p.cfg.Gate == nil {
		err = errors.Join(err, p.gate.Close())
	}
	return err
}

// Finish releases stalls and waits until the clients have closed their connections and all their
// data was forwarded.
func (p *Proxy) Finish(ctx context.Context) error {
	p.Release()
	p.mu.Lock()
	links := p.links
	p.mu.Unlock()
	for _, l := range links {
		for _, ended := range l.ended {
			select {
			case <-ended:
			case <-ctx.Done():
				return errors.Join(p.Close(), fmt.Errorf("connection %d does not end: %w", l.number, ctx.Err()))
			}
		}
	}
	return p.Close()
}

// Seen returns the traffic of each connection.
func (p *Proxy) Seen() []Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := make([]Seen, len(p.links))
	for i, l := range p.links {
		seen[i] = l.track.seen()
	}
	return seen
}

// Acted counts the faults that happened.
func (p *Proxy) Acted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acted
}

// Transcript returns the end of the sessions as they were forwarded.
func (p *Proxy) Transcript() string { return p.record.String() }
