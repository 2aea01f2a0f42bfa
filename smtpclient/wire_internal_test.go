package smtpclient

import (
	"context"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// deadlines counts the deadlines set on a connection.
type deadlines struct {
	net.Conn
	set int
}

func (d *deadlines) SetDeadline(time.Time) error { d.set++; return nil }

// A context that ends while its turn is being released finds that its turn is over. Its goroutine
// is held at the lock to arrive too late.
func TestContextThatComesTooLate(t *testing.T) {
	conn := &deadlines{}
	w := newWire(conn, nil)
	for late := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		w.useContext(ctx)
		w.mu.Lock()
		cancel()
		if late == 1 {
			w.ctx = context.Background() // what release does
			w.turn++
		}
		w.mu.Unlock()
		buf := make([]byte, 1<<20)
		for deadline := time.Now().Add(5 * time.Second); strings.Contains(string(buf[:runtime.Stack(buf, true)]), "(*wire).useContext.func"); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("the goroutine of the context does not end")
			}
		}
		w.mu.Lock()
		if want := 1 - late; conn.set != want {
			t.Errorf("late %d: %d deadlines set, want %d", late, conn.set, want)
		}
		conn.set = 0
		w.mu.Unlock()
	}
}
