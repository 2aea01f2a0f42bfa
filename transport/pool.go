package transport

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// pooledConn is a connection and the transport's knowledge about it.
type pooledConn struct {
	conn *smtpclient.Conn
	// messages counts the transactions begun. Only the current user of the connection accesses
	// it.
	messages int
	// limits are the limits announced in EHLO (RFC 9422).
	limits smtp.Limits
	// lockStep says that the connection sends one command at a time.
	lockStep bool
	// apart says that it sends nothing with the dot of a message.
	apart bool
	// spent says that it accepts no further message, though it may be open.
	spent atomic.Bool
	idle  *time.Timer // closes it while it is idle
}

// pool keeps the connections to one server: the free ones, and the number of all open ones.
type pool struct {
	keep  time.Duration                                  // idle time of a free connection
	bound func() int                                     // how many may be open now
	dial  func(ctx context.Context) (*pooledConn, error) // opens one
	fits  func(l *pooledConn) bool                       // reports whether it accepts another message
	mu    sync.Mutex
	free  []*pooledConn // the most recently used last
	open  int           // free, in use, being opened or closed
	// waiting are the waiting callers while the maximum of connections is open, in order. Each
	// receives a connection to use, or nil for permission to open one. A closed channel means
	// that the pool is closed.
	waiting []chan *pooledConn
	wanted  atomic.Int32 // len(waiting), readable without the lock
	closed  bool
	// panicked is a panic of a background goroutine, as of an idle timer. The next call of get or
	// close panics with it.
	panicked *carried
}

// get returns a free connection that is still alive, or a new one. It waits while the maximum is
// in use. The caller returns it with put.
func (p *pool) get(ctx context.Context) (*pooledConn, error) {
	p.rethrow()
	for {
		l, err := p.claim(ctx)
		if err != nil {
			return nil, &smtp.Error{Stage: smtp.StageConnect, Err: err}
		}
		if l, err = p.ready(ctx, l); l != nil || err != nil {
			return l, err
		}
	}
}

// ready checks that a free connection is alive, or opens one in a claimed place. If it returns no
// connection, even by a panic, the place is free again.
func (p *pool) ready(ctx context.Context, l *pooledConn) (ready *pooledConn, err error) {
	defer func() {
		if ready == nil {
			if l != nil {
				l.conn.Close()
			}
			p.leave()
		}
	}()
	if l == nil {
		if ready, err = p.dial(ctx); err != nil {
			ready = nil
		}
		return ready, err
	}
	l.idle.Stop()
	if !p.fits(l) {
		l.conn.Quit(ctx)
	} else if l.conn.Wake(ctx) {
		return l, nil
	}
	return nil, nil
}

// claim returns a free connection, or nil for the place of a new one.
func (p *pool) claim(ctx context.Context) (*pooledConn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	switch n := len(p.free); {
	case p.closed:
		p.mu.Unlock()
		return nil, ErrClosed
	case n > 0:
		l := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return l, nil
	case p.open < p.bound():
		p.open++
		p.mu.Unlock()
		return nil, nil
	}
	turn := make(chan *pooledConn, 1)
	p.waiting = append(p.waiting, turn)
	p.wanted.Add(1)
	p.mu.Unlock()
	select {
	case l, ok := <-turn:
		if !ok {
			return nil, ErrClosed
		}
		return l, nil
	case <-ctx.Done():
		p.withdraw(turn)
		return nil, context.Cause(ctx)
	}
}

// withdraw stops waiting. A turn that came at the same moment is passed on.
func (p *pool) withdraw(turn chan *pooledConn) {
	p.mu.Lock()
	for i, other := range p.waiting {
		if other == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.wanted.Add(-1)
			p.mu.Unlock()
			return
		}
	}
	p.mu.Unlock()
	switch l, ok := <-turn; {
	case !ok:
	case l != nil:
		p.put(l)
	default:
		p.leave()
	}
}

// next removes and returns the longest waiting caller; nil if there is none. The caller holds the
// lock.
func (p *pool) next() chan *pooledConn {
	if len(p.waiting) == 0 {
		return nil
	}
	turn := p.waiting[0]
	p.waiting = p.waiting[1:]
	p.wanted.Add(-1)
	return turn
}

// leave frees the place of a closed connection.
func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open <= p.bound() {
		if turn := p.next(); turn != nil {
			turn <- nil
			return
		}
	}
	p.open--
}

// put passes a connection to a waiting caller, keeps it for the next message, or closes it if it
// is unusable.
func (p *pool) put(l *pooledConn) {
	if !l.conn.Usable() {
		l.conn.Close()
		p.leave()
		return
	}
	p.mu.Lock()
	if p.closed || !p.fits(l) || p.open > p.bound() {
		p.mu.Unlock()
		p.end(l)
		return
	}
	defer p.mu.Unlock()
	l.conn.Park()
	l.idle = time.AfterFunc(p.keep, func() { p.expire(l) })
	if turn := p.next(); turn != nil {
		turn <- l
		return
	}
	p.free = append(p.free, l)
}

// others returns the number of connections besides the caller's.
func (p *pool) others() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open - 1
}

// end sends QUIT, and keeps the connection's place until it is closed. It takes a round trip, and
// at most Timeouts.Quit.
func (p *pool) end(l *pooledConn) {
	defer p.leave()
	l.conn.Quit(context.Background())
}

// endAside is end for a goroutine of the pool: a panic in the caller's code, such as
// Options.Trace, is kept for a goroutine of the caller. Here it would end the process.
func (p *pool) endAside(l *pooledConn) {
	defer func() {
		if v := recover(); v != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.panicked == nil {
				p.panicked = &carried{value: v, stack: debug.Stack()}
			}
		}
	}()
	p.end(l)
}

// rethrow panics with a kept panic.
func (p *pool) rethrow() {
	p.mu.Lock()
	panicked := p.panicked
	p.panicked = nil
	p.mu.Unlock()
	if panicked != nil {
		panic(panicked)
	}
}

// expire closes a connection after its idle time.
func (p *pool) expire(l *pooledConn) {
	p.mu.Lock()
	found := false
	for i, other := range p.free {
		if other == l {
			p.free = append(p.free[:i], p.free[i+1:]...)
			found = true
			break
		}
	}
	p.mu.Unlock()
	if found {
		p.endAside(l)
	}
}

// close closes the free connections, and those in use when they are put back. Waiting callers get
// an error.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	free := p.free
	p.free = nil
	for turn := p.next(); turn != nil; turn = p.next() {
		close(turn)
	}
	p.mu.Unlock()
	var ended sync.WaitGroup
	for _, l := range free {
		l.idle.Stop()
		ended.Go(func() { p.endAside(l) })
	}
	ended.Wait()
	p.rethrow()
}
