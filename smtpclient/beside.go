package smtpclient

import (
	"errors"
	"net"
	"os"
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

	mu    sync.Mutex // guards what follows
	wait  time.Duration
	ended bool
	err   error
}

// beside starts a write. Its caller reads replies with reply and then, always,
// waits for its end with finish.
func (w *wire) beside(grace time.Duration, write func() error) *writing {
	g := &writing{w: w, grace: grace, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		err := write()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended, g.err = true, err
		w.allowRead(g.patience())
	}()
	return g
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
	case !g.ended:
		return unlimited
	case g.err != nil:
		return g.grace
	}
	return g.wait
}

// reply reads one reply within the timeout, counted from the end of the write
// if that is still going on.
func (g *writing) reply(timeout time.Duration, show view) (smtp.Reply, error) {
	g.mu.Lock()
	g.wait = timeout
	g.w.allowRead(g.patience())
	g.mu.Unlock()
	return g.w.read(show)
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
	return g.err
}

// finishWithin reports whether the write ended in this time.
func (g *writing) finishWithin(d time.Duration) bool {
	select {
	case <-g.done:
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-g.done:
		return true
	case <-timer.C:
		return false
	}
}
