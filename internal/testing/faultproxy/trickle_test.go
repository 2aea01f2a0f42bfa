package faultproxy

import (
	"context"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

// waitForReplies waits for a bounded time until the server has sent more than before replies on its last
// connection. It returns their number.
func waitForReplies(ctx context.Context, proxy *Proxy, before int) int {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for since := time.Now(); time.Since(since) < impatience/4; {
		if seen := proxy.Seen(); len(seen) > 0 && seen[len(seen)-1].Replies > before {
			return seen[len(seen)-1].Replies
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return before
		}
	}
	return before
}

// Messages come one at a time, and the server drops data that arrives together with a command. Its
// replies to later messages look like replies to the first, which must not be reported as accepted
// because of them.
func TestALostGroupIsNotAnsweredByTheNextMessages(t *testing.T) {
	t.Parallel()
	for _, m := range modes()[1:] {
		for _, q := range []sandbox.Quirk{sandbox.LosesGroup, sandbox.LosesMail} {
			for _, recipients := range []int{1, 2, 3} {
				name := m.name + ", " + string(q)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := smtpCourse{wait: 3 * impatience, loose: true, trickle: true,
						server: sandbox.Config{Quirks: []sandbox.Quirk{q}, Without: m.without}}
					for range 8 {
						c.messages = append(c.messages, courseMessage{to: make([]string, recipients)})
					}
					v, err := c.run()
					reportContradictions(t, name, v, err)
				})
			}
		}
	}
}

// Mail is delivered even to a server that drops pipelined data: in lock-step, on another
// connection. At most the messages of the first connection are in doubt.
func TestALosingServerIsServedInLockStep(t *testing.T) {
	t.Parallel()
	for _, m := range modes()[1:] {
		for _, q := range []sandbox.Quirk{sandbox.LosesGroup, sandbox.LosesMail} {
			name := m.name + ", " + string(q)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := smtpCourse{wait: 5 * impatience, loose: true, sendAll: 1, server: sandbox.Config{Quirks: []sandbox.Quirk{q}, Without: m.without}}
				for range 50 {
					c.messages = append(c.messages, courseMessage{to: []string{"", ""}})
				}
				v, err := c.run()
				reportContradictions(t, name, v, err)
				t.Log(v.counts)
				if v.counts[smtp.Accepted] < 100-2*32 {
					t.Errorf("outcomes %v\n%s", v.counts, shorten(v.transcript, 60))
				}
			})
		}
	}
}
