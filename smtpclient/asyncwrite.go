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

// asyncWrite is a write during which the replies are read. While it lasts its own timeouts
// also limit the reads; when it has ended, the timeout of the awaited reply starts.
type asyncWrite struct {
	w     *wire
	grace time.Duration // timeout of a read after the write has failed
	done  chan struct{}

	// due, if set, reports that the commands of the awaited reply have been sent,
	// although the write continues.
	due func() bool

	mu    sync.Mutex // guards the fields below
	wait  time.Duration
	armed bool // the timeout of the awaited reply has started
	ended bool
	err   error
	// panicked is a panic of the write; waitForEnd panics with it.
	panicked *carriedPanic
}

// carriedPanic is a panic on its way from one goroutine to another.
type carriedPanic struct {
	value any
	stack []byte
}

func (p *carriedPanic) String() string { return fmt.Sprint(p.value) }

// PanicStack returns the stack of the panic.
func (p *carriedPanic) PanicStack() []byte { return p.stack }

// catchPanic runs a write that may panic.
func catchPanic(write func() error) (panicked *carriedPanic, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked, err = &carriedPanic{v, debug.Stack()}, ErrContent
		}
	}()
	return nil, write()
}

// startWrite starts a write. The caller reads replies with readReply, and must then call
// waitForEnd.
func (w *wire) startWrite(grace time.Duration, write func() error) *asyncWrite {
	g := &asyncWrite{w: w, grace: grace, done: make(chan struct{})}
	g.beginWrite(write)
	return g
}

func (g *asyncWrite) beginWrite(write func() error) {
	go func() {
		defer close(g.done)
		panicked, err := catchPanic(write)
		if panicked != nil {
			g.w.closeAbruptly()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended, g.err, g.panicked = true, err, panicked
		if !g.armed || err != nil {
			g.w.allowRead(g.replyTimeout())
		}
	}()
}

// fitsSocket is the number of octets that are written before a reply is read: the buffers
// of a socket hold them and their replies, whatever the server does. So a flight of a
// small message needs no goroutine.
const fitsSocket = 8 << 10

// startIfLarge is startWrite for n octets. It writes at once if that can't block.
func (w *wire) startIfLarge(n int64, grace time.Duration, write func() error) *asyncWrite {
	_, tcp := w.raw.(*net.TCPConn)
	if !tcp || n > fitsSocket {
		return w.startWrite(grace, write)
	}
	g := &asyncWrite{w: w, grace: grace, done: make(chan struct{}), ended: true, err: write()}
	close(g.done)
	return g
}

// replyTimeout returns the timeout of the awaited reply.
func (g *asyncWrite) replyTimeout() time.Duration {
	switch {
	case g.err != nil:
		return g.grace
	case g.ended, g.due != nil && g.due():
		g.armed = true
		return g.wait
	}
	return unlimited
}

// armTimeout starts the timeout of the awaited reply, or leaves that to the writer.
func (g *asyncWrite) armTimeout(timeout time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wait, g.armed = timeout, false
	g.w.allowRead(g.replyTimeout())
}

// blockWritten is called by the writer when a block has left.
func (g *asyncWrite) blockWritten() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.armed && g.wait != 0 && g.due() {
		g.w.allowRead(g.replyTimeout())
	}
}

// readReply reads one reply within the timeout, counted from the end of the write
// if that is still going on.
func (g *asyncWrite) readReply(timeout time.Duration, arrived func()) (smtp.Reply, error) {
	g.w.wait, g.w.writer, g.w.armed = timeout, g, false
	return g.w.readReply(replyReading{arrived: arrived})
}

// betterCause returns the better of two reasons for a lost reply: the error of a failed write
// says more than the timeout of the read after it.
func (g *asyncWrite) betterCause(readErr error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil && errors.Is(readErr, os.ErrDeadlineExceeded) {
		return g.err
	}
	return readErr
}

// succeeded reports whether the write has ended without an error.
func (g *asyncWrite) succeeded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended && g.err == nil
}

// waitForEnd waits for the end of the write and returns its error.
func (g *asyncWrite) waitForEnd() error {
	<-g.done
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panicked != nil {
		panic(g.panicked)
	}
	return g.err
}
