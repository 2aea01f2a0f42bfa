package sqlite

import (
	"context"
	"sync"
	"time"
)

// waker wakes goroutines when something may be due: at once after a commit of this process,
// and by polling after one of another process. It polls from the first call of Wake on.
type waker struct {
	mu      sync.Mutex
	ready   chan struct{}
	looking sync.WaitGroup
	began   bool
	ended   bool
}

func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ready)
	w.ready = make(chan struct{})
}

// wait waits for the polling goroutine to end. None starts after that.
func (w *waker) wait() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.looking.Wait()
}

// Wake returns a channel that is closed when something may have become due earlier than Due
// said.
func (s *store) Wake() <-chan struct{} {
	w := &s.waker
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.began && !w.ended {
		w.began = true
		w.looking.Add(1)
		go s.look()
	}
	return w.ready
}

// look polls SQLite for writes to the file (PRAGMA data_version reads a word of shared
// memory), and reads the wake counter after one.
func (s *store) look() {
	defer s.waker.looking.Done()
	tick := time.NewTicker(s.harness.poll)
	defer tick.Stop()
	c, err := s.connect("rw")
	if err != nil {
		s.waker.wake() // the woken goroutines call the store and get the reason
		return
	}
	defer func() { _ = c.close() }() // it has only read
	var version, wakes int64
	for {
		newVersion, newWakes, err := s.glance(c, version, wakes)
		if err != nil {
			_ = s.judge(err)
			s.waker.wake()
			return
		}
		if newWakes != wakes {
			s.waker.wake()
		}
		version, wakes = newVersion, newWakes
		select {
		case <-tick.C:
		case <-s.quit:
			return
		}
	}
}

func (s *store) glance(c *conn, version, wakes int64) (int64, int64, error) {
	seen := int64(0)
	err := c.query(context.Background(), func(r row) error { seen = r.int(0); return nil }, "PRAGMA data_version")
	if err != nil || seen == version {
		return version, wakes, err
	}
	wakes, _, err = c.number("SELECT n FROM tally WHERE account = 0 AND word = ?", wakeNumber)
	return seen, wakes, err
}
