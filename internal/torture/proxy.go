package torture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Action is what a fault does.
type Action int

const (
	// Cut ends both connections in good order (FIN); what comes afterwards is
	// thrown away.
	Cut Action = iota
	// Reset ends both with a TCP reset, which destroys what is on its way.
	Reset
	// Stall forwards nothing more in either direction until Release. What the
	// client had handed to the kernel arrives then, as it does behind a link
	// that recovers too late.
	Stall
	// StallReplies lets the client's octets through and holds the replies.
	StallReplies
)

// Actions lists them.
func Actions() []Action { return []Action{Cut, Reset, Stall, StallReplies} }

// String is the word that stands in the names of tests.
func (a Action) String() string { return [...]string{"cut", "reset", "stall", "stall-replies"}[a] }

// Fault says what happens where on one connection.
type Fault struct {
	Conn   int // counted from 1
	Action Action
	// Reply: act behind the server's reply of this number, the greeting being 1,
	// or, with Instead, when it is there and before the client gets it. 0 and
	// no Message: before the greeting.
	Reply   int
	Instead bool
	// Message, counted from 1 on its connection: act when so many octets of
	// it, stuffed dots and final dot included, were forwarded.
	Message int
	Octets  int64
}

// String names the place.
func (f Fault) String() string {
	switch {
	case f.Message > 0:
		return fmt.Sprintf("%d:%s@message%d+%d", f.Conn, f.Action, f.Message, f.Octets)
	case f.Instead:
		return fmt.Sprintf("%d:%s@reply%d-lost", f.Conn, f.Action, f.Reply)
	}
	return fmt.Sprintf("%d:%s@reply%d", f.Conn, f.Action, f.Reply)
}

// Shape says how octets travel when nothing goes wrong.
type Shape struct {
	// Up and Down are the sizes of the writes towards the server and the
	// client, used in turn; empty forwards what comes as it comes.
	Up, Down []int
	// Clump holds replies back until so many are there, or all that are due;
	// 0 and 1 hold none.
	Clump int
}

// Config says what a Proxy does.
type Config struct {
	// Serve is the server: it is called with each connection, and takes care of
	// it without keeping the caller waiting.
	Serve  func(net.Conn)
	Gate   *Gate // where clients connect to; nil makes one for this proxy
	Faults []Fault
	Shape  Shape
}

// Seen is what passed on one connection.
type Seen struct {
	Replies  int
	Messages []int64 // octets of each body
}

// Proxy forwards connections and disturbs them.
type Proxy struct {
	cfg      Config
	gate     *Gate
	knock    chan net.Addr
	accepted chan struct{} // closed when nobody accepts any more
	group    sync.WaitGroup
	release  chan struct{}
	once     sync.Once
	record   record

	mu    sync.Mutex
	links []*link
	acted int
	down  bool
}

// Start takes connections from the gate. The caller closes it.
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
		p.gate.accept(p.link, p.isDown, p.knock)
	}()
	return p, nil
}

// Port is where the client connects to on 127.0.0.1.
func (p *Proxy) Port() int { return p.gate.Port() }

func (p *Proxy) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

// link joins a client to the server.
func (p *Proxy) link(client *net.TCPConn) {
	near, far := newPipe()
	p.mu.Lock()
	l := &link{proxy: p, number: len(p.links) + 1, client: client, server: near,
		ended: [2]chan struct{}{make(chan struct{}), make(chan struct{})}, open: 2}
	l.track.due = 1
	for _, f := range p.cfg.Faults {
		if f.Conn == l.number {
			l.faults = append(l.faults, f)
		}
	}
	p.links = append(p.links, l)
	p.mu.Unlock()
	if f := l.at(func(f Fault) bool { return f.Message == 0 && f.Reply == 0 }); f != nil {
		l.act(*f)
	}
	p.cfg.Serve(far)
	p.group.Go(l.upwards)
	p.group.Go(l.downwards)
}

// Release ends all stalls, those to come included: what was held goes on its
// way.
func (p *Proxy) Release() { p.once.Do(func() { close(p.release) }) }

// Close ends everything and waits for it; a second one does nothing. What was
// released has arrived if both sides had closed their connections.
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

// Finish releases what is stalled and waits until the clients have closed
// their connections and everything of theirs was forwarded.
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

// Seen lists what passed on each connection.
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

// Transcript is the end of the conversation, as it passed.
func (p *Proxy) Transcript() string { return p.record.String() }
