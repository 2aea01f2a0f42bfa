package outboxtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

// Clock is a clock that moves only when it is told to. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	up     time.Duration
	boot   int
	single bool
}

// NewClock returns a clock at a full second.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), up: 1000 * time.Hour}
}

// Now returns the time; it is made for outbox.Options.Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Single makes c the clock of a database server, where steps also change leases.
func (c *Clock) Single() *Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.single = true
	return c
}

// Uptime returns the time that steps do not change; it is made for outbox.Options.Uptime.
func (c *Clock) Uptime() outbox.Uptime {
	c.mu.Lock()
	defer c.mu.Unlock()
	return outbox.Uptime{Boot: fmt.Sprint("boot ", c.boot), Since: c.up}
}

// Advance lets time pass. A negative duration sets the clock back.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(by, by > 0)
}

// Step sets the clock without time passing.
func (c *Clock) Step(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(by, false)
}

// Set lets time pass until to, or sets the clock back.
func (c *Clock) Set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(to.Sub(c.now), to.After(c.now))
}

// Reboot restarts the machine, which takes no time.
func (c *Clock) Reboot() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.single {
		c.boot, c.up = c.boot+1, 0
	}
}

func (c *Clock) move(by time.Duration, passes bool) {
	c.now = c.now.Add(by)
	if passes || c.single {
		c.up += by
	}
}
