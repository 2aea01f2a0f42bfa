package doctor_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/sandboxtest"
)

// long is a timeout that never expires in a test: answers come earlier, however
// busy the machine is.
const long = 5 * time.Minute

// whenStalled calls a function when the sandbox reports a stall.
func whenStalled(t testing.TB, s *sandboxtest.Server, fault string, then func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				if strings.Contains(s.Transcript(), "fault "+fault) {
					then()
					return
				}
			}
		}
	}()
}

// hourglass opens connections whose deadline the test can expire, instead of a
// short timeout.
type hourglass struct {
	mu    sync.Mutex
	out   bool
	conns []*timed
}

func (h *hourglass) runOut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out = true
	for _, c := range h.conns {
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // some are already closed
	}
}

func (h *hourglass) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &timed{conn, h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, c)
	return c, nil
}

// timed is one of its connections. It keeps the dialler's deadlines until the
// hourglass has run out.
type timed struct {
	net.Conn
	glass *hourglass
}

func (c *timed) SetDeadline(at time.Time) error {
	if err := c.Conn.SetWriteDeadline(at); err != nil {
		return err
	}
	return c.SetReadDeadline(at)
}

func (c *timed) SetReadDeadline(at time.Time) error {
	c.glass.mu.Lock()
	defer c.glass.mu.Unlock()
	if c.glass.out {
		at = time.Unix(1, 0)
	}
	return c.Conn.SetReadDeadline(at)
}

// mute is a resolver that ignores its context and answers only after the test
// releases it.
type mute struct{ letGo chan struct{} }

func (m mute) silence() error {
	<-m.letGo
	return context.Canceled
}

func (m mute) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) { return nil, m.silence() }
func (m mute) LookupMX(context.Context, string) ([]*net.MX, error)        { return nil, m.silence() }
func (m mute) LookupTXT(context.Context, string) ([]string, error)        { return nil, m.silence() }
func (m mute) LookupAddr(context.Context, string) ([]string, error)       { return nil, m.silence() }
func (m mute) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, m.silence()
}
