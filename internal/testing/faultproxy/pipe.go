package faultproxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// pipeBuffer is the capacity of one direction of a pipe, in octets.
const pipeBuffer = 64 << 10

// errReset is the error of an aborted pipe.
var errReset = errors.New("connection reset by peer")

// pipe is one end of a buffered connection within the process, whose directions close separately.
// The proxy uses it to its server, because a real socket would block a port for a minute after
// every course.
type pipe struct{ in, out *pipeHalf }

// pipeHalf is one direction of a pipe.
type pipeHalf struct {
	mu     sync.Mutex
	change sync.Cond
	data   []byte
	err    error // io.EOF or errReset: no more data will come
	gone   bool  // the reader is closed
}

func newPipe() (a, b *pipe) {
	one, two := &pipeHalf{}, &pipeHalf{}
	one.change.L, two.change.L = &one.mu, &two.mu
	return &pipe{in: one, out: two}, &pipe{in: two, out: one}
}

// Read returns the available data, or waits for some.
func (p *pipe) Read(b []byte) (int, error) {
	h := p.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data) == 0 && h.err == nil && !h.gone {
		h.change.Wait()
	}
	if h.gone {
		return 0, net.ErrClosed
	}
	if len(h.data) == 0 || errors.Is(h.err, errReset) {
		return 0, h.err
	}
	n := copy(b, h.data)
	h.data = h.data[:copy(h.data, h.data[n:])]
	h.change.Broadcast()
	return n, nil
}

// Write waits while the buffer is full.
func (p *pipe) Write(b []byte) (int, error) {
	h, n := p.out, 0
	h.mu.Lock()
	defer h.mu.Unlock()
	for n < len(b) {
		for len(h.data) >= pipeBuffer && h.err == nil && !h.gone {
			h.change.Wait()
		}
		if h.err != nil {
			return n, net.ErrClosed
		}
		if h.gone {
			return n, errReset
		}
		part := b[n:min(len(b), n+pipeBuffer-len(h.data))]
		h.data = append(h.data, part...)
		n += len(part)
		h.change.Broadcast()
	}
	return n, nil
}

func (h *pipeHalf) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	h.change.Broadcast()
}

// CloseWrite ends the outgoing direction.
func (p *pipe) CloseWrite() error {
	p.out.end(io.EOF)
	return nil
}

// Close ends both directions; data written before still arrives.
func (p *pipe) Close() error {
	p.out.end(io.EOF)
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.gone = true
	p.in.change.Broadcast()
	return nil
}

// abort resets the connection: data in transit is lost.
func (p *pipe) abort() {
	p.out.mu.Lock()
	p.out.data, p.out.err = nil, errReset
	p.out.change.Broadcast()
	p.out.mu.Unlock()
	_ = p.Close() // never fails
}

// pipeAddr is the address of both ends.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "tcp" }
func (pipeAddr) String() string  { return "127.0.0.1:0" }

// LocalAddr returns a placeholder.
func (p *pipe) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr returns a placeholder.
func (p *pipe) RemoteAddr() net.Addr { return pipeAddr{} }

// SetDeadline does nothing: the users of a pipe need no deadlines.
func (p *pipe) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (p *pipe) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
