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
	// panicked is a panic of a background goroutine, as of an idle timer. The next call of getConn
	// or closeAll panics with it.
	panicked *carried
}

// getConn returns a free connection that is still alive, or a new one. It waits while the maximum
// is in use. The caller returns it with putConn.
func (p *pool) getConn(ctx context.Context) (*pooledConn, error) {
	p.rethrowPanic()
	for {
		l, err := p.claimPlace(ctx)
		if err != nil {
			return nil, &smtp.Error{Stage: smtp.StageConnect, Err: err}
		}
		if l, err = p.readyConn(ctx, l); l != nil || err != nil {
			return l, err
		}
	}
}

// readyConn checks that a free connection is alive, or opens one in a claimed place. If it returns no
// connection, even by a panic, the place is free again.
func (p *pool) readyConn(ctx context.Context, l *pooledConn) (ready *pooledConn, err error) {
	defer func() {
		if ready == nil {
			if l != nil {
				l.conn.Close()
			}
			p.freePlace()
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

// claimPlace returns a free connection, or nil for the place of a new one.
func (p *pool) claimPlace(ctx context.Context) (*pooledConn, error) {
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
		p.stopWaiting(turn)
		return nil, context.Cause(ctx)
	}
}

// stopWaiting stops waiting. A turn that came at the same moment is passed on.
func (p *pool) stopWaiting(turn chan *pooledConn) {
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
		p.putConn(l)
	default:
		p.freePlace()
	}
}

// nextWaiter removes and returns the longest waiting caller; nil if there is none. The caller holds the
// lock.
func (p *pool) nextWaiter() chan *pooledConn {
	if len(p.waiting) == 0 {
		return nil
	}
	turn := p.waiting[0]
	p.waiting = p.waiting[1:]
	p.wanted.Add(-1)
	return turn
}

// freePlace frees the place of a closed connection.
func (p *pool) freePlace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open <= p.bound() {
		if turn := p.nextWaiter(); turn != nil {
			turn <- nil
			return
		}
	}
	p.open--
}

// putConn passes a connection to a waiting caller, keeps it for the next message, or closes it if it
// is unusable.
func (p *pool) putConn(l *pooledConn) {
	if !l.conn.Usable() {
		l.conn.Close()
		p.freePlace()
		return
	}
	p.mu.Lock()
	if p.closed || !p.fits(l) || p.open > p.bound() {
		p.mu.Unlock()
		p.endConn(l)
		return
	}
	defer p.mu.Unlock()
	l.conn.Park()
	l.idle = time.AfterFunc(p.keep, func() { p.expireConn(l) })
	if turn := p.nextWaiter(); turn != nil {
		turn <- l
		return
	}
	p.free = append(p.free, l)
}

// otherConns returns the number of connections besides the caller's.
func (p *pool) otherConns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open - 1
}

// endConn sends QUIT, and keeps the connection's place until it is closed. It takes a round trip, and
// at most Timeouts.Quit.
func (p *pool) endConn(l *pooledConn) {
	defer p.freePlace()
	l.conn.Quit(context.Background())
}

// endAside is endConn for a goroutine of the pool: a panic in the caller's code, such as
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
	p.endConn(l)
}

// rethrowPanic panics with a kept panic.
func (p *pool) rethrowPanic() {
	p.mu.Lock()
	panicked := p.panicked
	p.panicked = nil
	p.mu.Unlock()
	if panicked != nil {
		panic(panicked)
	}
}

// expireConn closes a connection after its idle time.
func (p *pool) expireConn(l *pooledConn) {
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

// closeAll closes the free connections, and those in use when they are put back. Waiting callers get
// an error.
func (p *pool) closeAll() {
	p.mu.Lock()
	p.closed = true
	free := p.free
	p.free = nil
	for turn := p.nextWaiter(); turn != nil; turn = p.nextWaiter() {
		close(turn)
	}
	p.mu.Unlock()
	var ended sync.WaitGroup
	for _, l := range free {
		l.idle.Stop()
		ended.Go(func() { p.endAside(l) })
	}
	ended.Wait()
	p.rethrowPanic()
}
