package smtpclient

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
)

// writing is a write that goes on beside the reading of the replies to it.
// While it lasts its own time-outs bound the reads too; once it has ended,
// the reply that is awaited gets its time from that moment.
type writing struct {
	w     *wire
	grace time.Duration // what a read gets when the write has failed
	done  chan struct{}

	// due, if set, says that what the awaited reply answers has left, although
	// the write goes on.
	due func() bool

	mu    sync.Mutex // guards what follows
	wait  time.Duration
	armed bool // the awaited reply has its time
	ended bool
	err   error
	// panicked is a panic of the write, which is the caller's to end with.
	panicked *carriedPanic
}

// carriedPanic is a panic on its way from one goroutine to another.
type carriedPanic struct {
	value any
	stack []byte
}

func (p *carriedPanic) String() string { return fmt.Sprint(p.value) }

// PanicStack is where it happened.
func (p *carriedPanic) PanicStack() []byte { return p.stack }

// caught runs a write that may panic.
func caught(write func() error) (panicked *carriedPanic, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked, err = &carriedPanic{v, debug.Stack()}, ErrContent
		}
	}()
	return nil, write()
}

// beside starts a write. Its caller reads replies with reply and then, always,
// waits for its end with finish.
func (w *wire) beside(grace time.Duration, write func() error) *writing {
	g := &writing{w: w, grace: grace, done: make(chan struct{})}
	g.begin(write)
	return g
}

func (g *writing) begin(write func() error) {
	go func() {
		defer close(g.done)
		panicked, err := caught(write)
		if panicked != nil {
			g.w.cut()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended, g.err, g.panicked = true, err, panicked
		if !g.armed || err != nil {
			g.w.allowRead(g.patience())
		}
	}()
}

// fitsSocket is the number of octets that are written before a reply is read,
// rather than beside it: a socket's buffer holds them, and what is answered to
// them, whatever the server does. It spares a goroutine for each flight of a
// small message.
const fitsSocket = 8 << 10

// start is beside for a write of n octets, at once where that can't block.
func (w *wire) start(n int64, grace time.Duration, write func() error) *writing {
	_, tcp := w.raw.(*net.TCPConn)
	if !tcp || n > fitsSocket {
		return w.beside(grace, write)
	}
	g := &writing{w: w, grace: grace, done: make(chan struct{}), ended: true, err: write()}
	close(g.done)
	return g
}

// patience is the time that the awaited reply has.
func (g *writing) patience() time.Duration {
	switch {
	case g.err != nil:
		return g.grace
	case g.ended, g.due != nil && g.due():
		g.armed = true
		return g.wait
	}
	return unlimited
}

// arm starts the time of the awaited reply, or leaves that to the writer.
func (g *writing) arm(timeout time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wait, g.armed = timeout, false
	g.w.allowRead(g.patience())
}

// moved is called by the writer when a block has left.
func (g *writing) moved() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.armed && g.wait != 0 && g.due() {
		g.w.allowRead(g.patience())
	}
}

// reply reads one reply within the timeout, counted from the end of the write
// if that is still going on.
func (g *writing) reply(timeout time.Duration, arrived func()) (smtp.Reply, error) {
	g.w.wait, g.w.writer, g.w.armed = timeout, g, false
	return g.w.read(reading{arrived: arrived})
}

// cause is the better of two reasons for a lost reply: that nothing came in
// the time left after a failed write says less than why the write failed.
func (g *writing) cause(readErr error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil && errors.Is(readErr, os.ErrDeadlineExceeded) {
		return g.err
	}
	return readErr
}

// succeeded reports whether the write has ended well by now.
func (g *writing) succeeded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended && g.err == nil
}

// finish waits for the end of the write and returns its error.
func (g *writing) finish() error {
	<-g.done
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panicked != nil {
		panic(g.panicked)
	}
	return g.err
}
