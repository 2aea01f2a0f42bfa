package faultproxy

import (
	"io"
	"net"
	"sync"
)

// proxyLink is a client's connection and the pipe to its server.
type proxyLink struct {
	proxy  *Proxy
	number int
	client *net.TCPConn
	server *pipe
	track  sessionTracker

	ended [2]chan struct{} // closed when nothing more will be forwarded

	mu      sync.Mutex
	faults  []Fault
	dropped bool // after Cut: nothing is forwarded
	stalled [2]bool
	open    int // directions that are open
}

// The directions, as indexes of proxyLink.stalled and proxyLink.ended.
const (
	upward = iota
	downward
)

// takeFault removes and returns the first fault that is due.
func (l *proxyLink) takeFault(due func(Fault) bool) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.faults {
		if due(f) {
			l.faults = append(l.faults[:i:i], l.faults[i+1:]...)
			return &f
		}
	}
	return nil
}

// carryOut carries out a fault.
func (l *proxyLink) carryOut(f Fault) {
	l.proxy.record.add(l.number, "*", f.String())
	l.proxy.mu.Lock()
	l.proxy.acted++
	l.proxy.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch f.Action {
	case Cut:
		l.dropped = true
		_ = l.client.CloseWrite() // either may be closed already, which does no harm
		_ = l.server.CloseWrite()
	case Reset:
		l.dropped = true
		l.server.abort()
		l.close()
	case Stall:
		l.stalled = [2]bool{true, true}
	case StallReplies:
		l.stalled[downward] = true
	}
}

// close closes both connections with a reset: the client has finished or is to be reset, and no
// port stays blocked for a minute.
func (l *proxyLink) close() {
	_ = l.client.SetLinger(0) // either may be closed already
	_ = l.client.Close()
	_ = l.server.Close()
}

// endDirection ends a direction, and closes the connections after the second one.
func (l *proxyLink) endDirection(direction int) {
	l.mu.Lock()
	l.open--
	last := l.open == 0
	l.mu.Unlock()
	if last {
		l.close()
	}
	close(l.ended[direction])
}

// clientOpen reports whether the client has not yet closed its side.
func (l *proxyLink) clientOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open == 2
}

// waitForStall waits until a stall is over. It returns false if nothing may be forwarded any more.
func (l *proxyLink) waitForStall(direction int) bool {
	l.mu.Lock()
	stalled, dropped := l.stalled[direction], l.dropped
	l.mu.Unlock()
	if stalled {
		<-l.proxy.release
	}
	return !dropped
}

// forward forwards octets in the sizes of the shape.
func (l *proxyLink) forward(to io.Writer, direction int, sizes []int, turn *int, p []byte) error {
	for len(p) > 0 {
		if !l.waitForStall(direction) {
			return nil
		}
		n := len(p)
		if len(sizes) > 0 {
			n = min(n, max(sizes[*turn%len(sizes)], 1))
			*turn++
		}
		if _, err := to.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// forwardClient forwards the client's octets. It stops before each place of a fault.
func (l *proxyLink) forwardClient() {
	defer l.endDirection(upward)
	buf := make([]byte, 32<<10)
	turn := 0
	for {
		n, err := l.client.Read(buf)
		for p := buf[:n]; len(p) > 0; {
			at := l.track.processClient(p, l.nextOctet, func(line string) { l.proxy.record.add(l.number, "C", line) })
			if l.forward(l.server, upward, l.proxy.cfg.Shape.Up, &turn, p[:at]) != nil {
				break // the server is gone; the client learns it from the other direction
			}
			p = p[at:]
			l.actAtPlace()
		}
		if err != nil {
			l.waitForStall(upward)
			_ = l.server.CloseWrite() // not Close: that would discard octets in transit
			return
		}
	}
}

// nextOctet returns the nearest octet of a message at which a fault is due, or -1.
func (l *proxyLink) nextOctet(message int, octets int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := int64(-1)
	for _, f := range l.faults {
		if f.Message == message && f.Octets >= octets && (next < 0 || f.Octets < next) {
			next = f.Octets
		}
	}
	return next
}

// actAtPlace acts on the faults at the place up to which octets were forwarded.
func (l *proxyLink) actAtPlace() {
	message, octets := l.track.place()
	for {
		f := l.takeFault(func(f Fault) bool { return f.Message > 0 && f.Message == message && f.Octets == octets })
		if f == nil {
			return
		}
		l.carryOut(*f)
	}
}

// forwardReplies forwards the replies, each one whole.
func (l *proxyLink) forwardReplies() {
	defer l.endDirection(downward)
	buf := make([]byte, 32<<10)
	var line, held []byte
	turn, count := 0, 0
	flush := func() {
		_ = l.forward(l.client, downward, l.proxy.cfg.Shape.Down, &turn, held) // a client that is gone needs no reply
		held, count = held[:0], 0
	}
	for {
		n, err := l.server.Read(buf)
		for _, c := range buf[:n] {
			line = append(line, c)
			if c != '\n' {
				continue
			}
			l.proxy.record.add(l.number, "S", string(line))
			if last := len(line) < 4 || line[3] != '-'; !last {
				held, line = append(held, line...), line[:0]
				continue
			}
			number, due := l.track.processReply(line)
			if f := l.takeFault(func(f Fault) bool { return f.Message == 0 && f.Reply == number && f.Instead }); f != nil {
				l.carryOut(*f)
			}
			held, line = append(held, line...), line[:0]
			count++
			f := l.takeFault(func(f Fault) bool { return f.Message == 0 && f.Reply == number && !f.Instead })
			if f != nil || count >= l.proxy.cfg.Shape.Clump || number >= due {
				flush()
			}
			if f != nil {
				l.carryOut(*f)
			}
		}
		if err != nil {
			held = append(held, line...)
			flush()
			if l.clientOpen() {
				_ = l.client.CloseWrite()
			}
			return
		}
	}
}
