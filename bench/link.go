package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// link stands between a client and a server and makes the way long: each
// octet arrives half a round trip after it was sent, in order, however many
// are under way. Bandwidth is not limited, so that what may overlap does.
type link struct {
	listener    net.Listener
	server      string
	delay       time.Duration // one way
	connections sync.WaitGroup

	mu   sync.Mutex
	open []net.Conn
}

// startLink makes a way of the given round trip time to a server.
func startLink(server string, roundTrip time.Duration) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the link: %w", err)
	}
	l := &link{listener: listener, server: server, delay: roundTrip / 2}
	l.connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			l.connections.Go(func() { l.relay(client) })
		}
	})
	return l, nil
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) close() {
	l.listener.Close()
	l.mu.Lock()
	for _, connection := range l.open {
		connection.Close()
	}
	l.mu.Unlock()
	l.connections.Wait()
}

func (l *link) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return // the client sees its connection end
	}
	defer server.Close()
	l.mu.Lock()
	l.open = append(l.open, client, server)
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, l.delay) })
	both.Go(func() { carry(client, server, l.delay) })
	both.Wait()
}

// parcel is what was read at once, and when it is due at the other end. The
// last one of a direction is empty.
type parcel struct {
	due   time.Time
	bytes []byte
}

// carry copies one direction. Reading never waits for writing, so parcels
// under way don't hold each other up.
func carry(to, from net.Conn, delay time.Duration) {
	way := newQueue()
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			buffer := make([]byte, 64<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				way.put(parcel{time.Now().Add(delay), buffer[:n]})
			}
			if err != nil { // the end of the stream travels like the rest
				way.put(parcel{due: time.Now().Add(delay)})
				return
			}
		}
	})
	for {
		p := way.take()
		time.Sleep(time.Until(p.due))
		if len(p.bytes) == 0 {
			break
		}
		if _, err := to.Write(p.bytes); err != nil {
			from.Close() // ends the reader
			break
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // it may be gone already
	}
	reader.Wait()
}

// queue is an unbounded channel.
type queue struct {
	mu      sync.Mutex
	some    *sync.Cond
	parcels []parcel
}

func newQueue() *queue {
	q := &queue{}
	q.some = sync.NewCond(&q.mu)
	return q
}

func (q *queue) put(p parcel) {
	q.mu.Lock()
	q.parcels = append(q.parcels, p)
	q.mu.Unlock()
	q.some.Signal()
}

func (q *queue) take() parcel {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.parcels) == 0 {
		q.some.Wait()
	}
	p := q.parcels[0]
	q.parcels = q.parcels[1:]
	return p
}
