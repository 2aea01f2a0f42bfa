package smtpclient

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// outlet gathers what is to be sent into blocks and hands them to the kernel.
// It counts octets from the first of its connection on, so that of every
// message it can be said whether its last octet has left. One goroutine writes
// at a time; any may ask.
type outlet struct {
	w   *wire
	buf []byte
	// timeout is that of each block: an upload that makes progress is never
	// cut off.
	timeout time.Duration
	taken   int64        // octets written to the outlet, those in buf included
	offered atomic.Int64 // octets that the kernel has, or is just being given
	err     error        // the first of the connection
	// moved is called after each block.
	moved func()

	watch  sync.Mutex // guards bodies, and lasts while somebody is told
	bodies []*body    // those whose progress somebody watches

	mu     sync.Mutex // guards what follows
	more   sync.Cond
	handed int64 // octets that the kernel has
	failed bool
}

// blockSize is what goes to the kernel at once: two TLS records.
const blockSize = 32 << 10

func newOutlet(w *wire) *outlet {
	o := &outlet{w: w}
	o.more.L = &o.mu
	return o
}

// Write takes p. What is about as much as a block is not copied.
func (o *outlet) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && o.err == nil {
		if block := p[:min(len(p), blockSize)]; len(o.buf) == 0 && len(block) >= blockSize/2 {
			o.taken += int64(len(block))
			o.hand(block)
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
			_ = o.flush() // its error stays in o.err
		}
	}
	if o.err != nil {
		return 0, o.err
	}
	return n, nil
}

// flush hands over what was gathered.
func (o *outlet) flush() error {
	if len(o.buf) > 0 && o.err == nil {
		o.hand(o.buf)
		o.buf = o.buf[:0]
	}
	return o.err
}

func (o *outlet) hand(block []byte) {
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
		o.err = o.w.explain(err)
	}
	o.progress(handed)
	if o.moved != nil {
		o.moved()
	}
}

// watched adds a message whose progress somebody watches.
func (o *outlet) watched(b *body) {
	o.watch.Lock()
	defer o.watch.Unlock()
	o.bodies = append(o.bodies, b)
}

// unwatch ends that: nobody is told of the progress of a message behind its
// result. If all of it has left and that was not said yet, it is said now.
func (o *outlet) unwatch(x *transaction) {
	o.watch.Lock()
	defer o.watch.Unlock()
	for i, b := range o.bodies {
		if b.x != x {
			continue
		}
		o.bodies = slices.Delete(o.bodies, i, i+1)
		if b.offered() {
			x.Progress(x.size, x.size)
		}
		return
	}
}

// progress tells those who watch a message how much of it has left.
func (o *outlet) progress(handed int64) {
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

// has reports whether the kernel has all octets up to end.
func (o *outlet) has(end int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.handed >= end
}

// settle waits until the kernel has all octets up to end, which are being
// handed to it, and reports whether it came to that. It cuts the connection if
// that takes longer than patience: a server that has answered need not read on.
func (o *outlet) settle(end int64, patience time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.handed < end && !o.failed {
		timer := time.AfterFunc(patience, o.w.cut)
		defer timer.Stop()
	}
	for o.handed < end && !o.failed {
		o.more.Wait()
	}
	return o.handed >= end
}
