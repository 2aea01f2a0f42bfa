package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is the channel of NOTIFY. One is enough: it belongs to a database, which has one
// schema yan.
const channel = "yan"

// notify wakes the workers of all stores after the transaction is committed. The server sends
// several notifications of a transaction only once.
const notify = "select pg_notify('" + channel + "', '')"

// bell is a channel that is closed to wake all waiting goroutines.
type bell struct {
	mu sync.Mutex
	ch chan struct{}
}

func newBell() *bell { return &bell{ch: make(chan struct{})} }

func (b *bell) waitChannel() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

func (b *bell) ringAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}

// Wake implements outbox.Store.
func (s *Store) Wake() <-chan struct{} { return s.bell.waitChannel() }

// listenNotify rings the bell after each notification. Notifications are lost while there is no
// connection, so that every new connection rings, too.
func (s *Store) listenNotify(ctx context.Context) {
	if s.pool.pooled {
		s.ringRegularly(ctx)
		return
	}
	const shortest, longest = 100 * time.Millisecond, 5 * time.Second
	pause := shortest
	for ctx.Err() == nil {
		if s.listenOnce(ctx) {
			pause = shortest
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longest)
	}
}

// lookEvery is how often a worker is woken if notifications don't arrive.
const lookEvery = 2 * time.Second

// ringRegularly rings the bell regularly, if notifications don't arrive.
func (s *Store) ringRegularly(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.bell.ringAll()
		case <-ctx.Done():
			return
		}
	}
}

// listenOnce listens until the connection is lost, and reports whether there was one.
func (s *Store) listenOnce(ctx context.Context) bool {
	conn, err := s.pool.connectOutside(ctx)
	if err != nil {
		return false
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return false
	}
	for {
		s.bell.ringAll()
		// waitNotification pings the server from time to time, to notice a connection that died silently.
		err := s.waitNotification(ctx, conn)
		if err != nil {
			return true
		}
	}
}

func (s *Store) waitNotification(ctx context.Context, conn *pgx.Conn) error {
	for {
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		_, err := conn.WaitForNotification(wait)
		quiet := err != nil && wait.Err() != nil && ctx.Err() == nil && !conn.IsClosed()
		cancel()
		if !quiet {
			return err
		}
		ping, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return err
		}
	}
}
