package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// delayLink is a proxy between a client and a server that adds delay: each octet
// arrives half a round trip after it was sent, in order, however many are under
// way. Bandwidth is not limited, so that transfers may overlap.
//
// It accepts a connection at once, because its end of it is local. The time
// that the three opening packets take on a long route (RFC 9293 section 3.5) is
// added: the client's data leaves one round trip later, as if the client had
// waited for its connection, and the link connects to the server half a round
// trip after that.
type delayLink struct {
	listener    net.Listener
	server      string
	delay       time.Duration // one way
	connections sync.WaitGroup

	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

// startLink creates a link with a round trip time to a server.
func startLink(server string, roundTrip time.Duration) (*delayLink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the link: %w", err)
	}
	l := &delayLink{listener: listener, server: server, delay: roundTrip / 2}
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

func (l *delayLink) address() string { return l.listener.Addr().String() }

func (l *delayLink) close() {
	l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for _, connection := range l.open {
		connection.Close()
	}
	l.mu.Unlock()
	l.connections.Wait()
}

// keep registers a connection, so that close ends it.
func (l *delayLink) keep(connection net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, connection)
	if l.closed {
		connection.Close()
	}
}

func (l *delayLink) relay(client net.Conn) {
	defer client.Close()
	l.keep(client)
	time.Sleep(2 * l.delay)
	forth := queueReads(client, l.delay)
	time.Sleep(l.delay)
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		client.Close()
		forth.drain()
		return // the client sees its connection end
	}
	defer server.Close()
	l.keep(server)
	back := queueReads(server, l.delay)
	var both sync.WaitGroup
	both.Go(func() { forth.write(server, client) })
	both.Go(func() { back.write(client, server) })
	both.Wait()
}

// delayedBlock is the data of one read, and when it is due at the other end. The last
// one of a direction is empty.
type delayedBlock struct {
	due   time.Time
	bytes []byte
}

// queueReads queues one direction's data. It never waits for the writer, so delayed
// parcels don't block each other.
func queueReads(from net.Conn, delay time.Duration) *packetQueue {
	way := newQueue()
	go func() {
		var block []byte // shared by several parcels
		for {
			if len(block) < 16<<10 {
				block = make([]byte, 256<<10)
			}
			n, err := from.Read(block)
			if n > 0 {
				way.put(delayedBlock{time.Now().Add(delay), block[:n:n]})
				block = block[n:]
			}
			if err != nil { // the end of the stream is delayed like the data
				way.put(delayedBlock{due: time.Now().Add(delay)})
				return
			}
		}
	}()
	return way
}

// write delivers parcels when they are due; those due together, together.
func (q *packetQueue) write(to, from net.Conn) {
	for ended := false; !ended; {
		p := q.take()
		time.Sleep(time.Until(p.due))
		due := net.Buffers{}
		for now := time.Now(); ; {
			if ended = len(p.bytes) == 0; ended {
				break
			}
			due = append(due, p.bytes)
			var ok bool
			if p, ok = q.takeDue(now); !ok {
				break
			}
		}
		if _, err := due.WriteTo(to); err != nil {
			from.Close() // ends the reader
			if !ended {
				q.drain()
			}
			break
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the connection may be closed already
	}
}

// drain waits for the reader's end.
func (q *packetQueue) drain() {
	for len(q.take().bytes) > 0 {
	}
}

// packetQueue is an unbounded channel.
type packetQueue struct {
	mu      sync.Mutex
	some    *sync.Cond
	parcels []delayedBlock
}

func newQueue() *packetQueue {
	q := &packetQueue{}
	q.some = sync.NewCond(&q.mu)
	return q
}

func (q *packetQueue) put(p delayedBlock) {
	q.mu.Lock()
	q.parcels = append(q.parcels, p)
	q.mu.Unlock()
	q.some.Signal()
}

func (q *packetQueue) take() delayedBlock {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.parcels) == 0 {
		q.some.Wait()
	}
	p := q.parcels[0]
	q.parcels = q.parcels[1:]
	return p
}

// takeDue is take for a parcel that is already due; ok is false if there is
// none.
func (q *packetQueue) takeDue(now time.Time) (p delayedBlock, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.parcels) == 0 || q.parcels[0].due.After(now) {
		return delayedBlock{}, false
	}
	p = q.parcels[0]
	q.parcels = q.parcels[1:]
	return p, true
}
