package smtpclient

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// countingWriter collects the octets to be sent into blocks and writes them to the
// connection. It counts the octets of the connection, so that it knows of each message
// whether its last octet has left. One goroutine writes at a time; any may ask.
type countingWriter struct {
	w   *wire
	buf []byte
	// timeout is that of each block: an upload that makes progress is never cut off.
	timeout time.Duration
	taken   int64        // octets written, those in buf included
	offered atomic.Int64 // octets that the kernel has taken, or is taking
	err     error        // the first of the connection
	// moved is called after each block.
	moved func()

	watch  sync.Mutex // guards bodies, and is held during calls of Progress
	bodies []*body    // the messages with a Progress

	mu     sync.Mutex // guards the fields below
	more   sync.Cond
	handed int64 // octets that the kernel has taken
	failed bool
}

// blockSize is the size of a write: two TLS records.
const blockSize = 32 << 10

func newCountingWriter(w *wire) *countingWriter {
	o := &countingWriter{w: w}
	o.more.L = &o.mu
	return o
}

// Write collects p. It does not copy parts of about the size of a block.
func (o *countingWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && o.err == nil {
		if block := p[:min(len(p), blockSize)]; len(o.buf) == 0 && len(block) >= blockSize/2 {
			o.taken += int64(len(block))
			o.handToKernel(block)
			p = p[len(block):]
			continue
		}
		if o.buf == nil {
			o.buf = make([]byte, 0, blockSize)
		}
		part := p[:min(len(p), blockSize-len(o.buf))]
		o.buf = append(o.buf, part...)
		o.taken += int64(len(part))
		p = p[len(part):]
		if len(o.buf) == blockSize {
			_ = o.flushBlock() // its error stays in o.err
		}
	}
	if o.err != nil {
		return 0, o.err
	}
	return n, nil
}

// flushBlock writes the collected octets.
func (o *countingWriter) flushBlock() error {
	if len(o.buf) > 0 && o.err == nil {
		o.handToKernel(o.buf)
		o.buf = o.buf[:0]
	}
	return o.err
}

func (o *countingWriter) handToKernel(block []byte) {
	o.offered.Add(int64(len(block)))
	o.w.allowWrite(o.timeout)
	n, err := o.w.conn.Write(block)
	o.w.sentNow()
	o.mu.Lock()
	o.handed += int64(n)
	handed := o.handed
	o.failed = o.failed || err != nil
	o.mu.Unlock()
	o.more.Broadcast()
	if err != nil && o.err == nil {
		o.err = o.w.explainError(err)
	}
	o.reportProgress(handed)
	if o.moved != nil {
		o.moved()
	}
}

// watchBody adds a message with a Progress.
func (o *countingWriter) watchBody(b *body) {
	o.watch.Lock()
	defer o.watch.Unlock()
	o.bodies = append(o.bodies, b)
}

// unwatch stops progress calls; Progress is never called after the result. If the whole
// message has left and Progress was not called for that, unwatch calls it.
func (o *countingWriter) unwatch(x *transaction) {
	o.watch.Lock()
	defer o.watch.Unlock()
	for i, b := range o.bodies {
		if b.x != x {
			continue
		}
		o.bodies = slices.Delete(o.bodies, i, i+1)
		if b.wasOffered() {
			x.Progress(x.size, x.size)
		}
		return
	}
}

// reportProgress calls Progress of each message with the octets that have left.
func (o *countingWriter) reportProgress(handed int64) {
	o.watch.Lock()
	defer o.watch.Unlock()
	left := o.bodies[:0]
	for _, b := range o.bodies {
		if sent := handed - b.begin; sent > 0 {
			b.x.Progress(min(sent, b.x.size), b.x.size)
		}
		if end := b.end.Load(); end == 0 || handed < end {
			left = append(left, b)
		}
	}
	o.bodies = left
}

// kernelHas reports whether the kernel has taken all octets up to end.
func (o *countingWriter) kernelHas(end int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.handed >= end
}

// waitForKernel waits until the kernel has taken all octets up to end, and reports whether it
// has. It cuts the connection after patience: a server that has answered need not read on.
func (o *countingWriter) waitForKernel(end int64, patience time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.handed < end && !o.failed {
		timer := time.AfterFunc(patience, o.w.closeAbruptly)
		defer timer.Stop()
	}
	for o.handed < end && !o.failed {
		o.more.Wait()
	}
	return o.handed >= end
}
