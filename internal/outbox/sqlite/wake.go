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

func (w *waker) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ready)
	w.ready = make(chan struct{})
}

// waitForPoll waits for the polling goroutine to end. None starts after that.
func (w *waker) waitForPoll() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.looking.Wait()
}

// Wake returns a channel that is closed when something may have become due earlier than Due
// said.
func (s *sqliteStore) Wake() <-chan struct{} {
	w := &s.waker
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.began && !w.ended {
		w.began = true
		w.looking.Add(1)
		go s.pollWrites()
	}
	return w.ready
}

// pollWrites polls SQLite for writes to the file (PRAGMA data_version reads a word of shared
// memory), and reads the wake counter after one.
func (s *sqliteStore) pollWrites() {
	defer s.waker.looking.Done()
	tick := time.NewTicker(s.harness.poll)
	defer tick.Stop()
	c, err := s.openConn("rw")
	if err != nil {
		s.waker.wakeAll() // the woken goroutines call the store and get the reason
		return
	}
	defer func() { _ = c.close() }() // it has only read
	var version, wakes int64
	for {
		newVersion, newWakes, err := s.pollOnce(c, version, wakes)
		if err != nil {
			_ = s.classifyError(err)
			s.waker.wakeAll()
			return
		}
		if newWakes != wakes {
			s.waker.wakeAll()
		}
		version, wakes = newVersion, newWakes
		select {
		case <-tick.C:
		case <-s.quit:
			return
		}
	}
}

func (s *sqliteStore) pollOnce(c *dbConn, version, wakes int64) (int64, int64, error) {
	seen := int64(0)
	err := c.query(context.Background(), func(r resultRow) error { seen = r.int(0); return nil }, "PRAGMA data_version")
	if err != nil || seen == version {
		return version, wakes, err
	}
	wakes, _, err = c.queryNumber("SELECT n FROM tally WHERE account = 0 AND word = ?", wakeNumber)
	return seen, wakes, err
}
