package torture

import (
	"context"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

// heard waits until the server has said more than so many replies on its last
// connection, at most for a while; it gives how many they are.
func heard(ctx context.Context, proxy *Proxy, before int) int {
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

// Messages that come one by one, and a server that loses what came together
// with a command: its replies to later messages look like those to the first,
// and nobody must be told for them that the first was accepted.
func TestALostGroupIsNotAnsweredByTheNextMessages(t *testing.T) {
	t.Parallel()
	for _, m := range modes()[1:] {
		for _, q := range []sandbox.Quirk{sandbox.LosesGroup, sandbox.LosesMail} {
			for _, recipients := range []int{1, 2, 3} {
				name := m.name + ", " + string(q)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := course{wait: 3 * impatience, loose: true, trickle: true,
						server: sandbox.Config{Quirks: []sandbox.Quirk{q}, Without: m.without}}
					for range 8 {
						c.messages = append(c.messages, draft{to: make([]string, recipients)})
					}
					v, err := c.run()
					report(t, name, v, err)
				})
			}
		}
	}
}

// A server that loses what is pipelined is served all the same: in lock-step, on
// another connection. In doubt is at most what the first had taken.
func TestALosingServerIsServedInLockStep(t *testing.T) {
	t.Parallel()
	for _, m := range modes()[1:] {
		for _, q := range []sandbox.Quirk{sandbox.LosesGroup, sandbox.LosesMail} {
			name := m.name + ", " + string(q)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := course{wait: 5 * impatience, loose: true, sendAll: 1, server: sandbox.Config{Quirks: []sandbox.Quirk{q}, Without: m.without}}
				for range 50 {
					c.messages = append(c.messages, draft{to: []string{"", ""}})
				}
				v, err := c.run()
				report(t, name, v, err)
				t.Log(v.counts)
				if v.counts[smtp.Accepted] < 100-2*32 {
					t.Errorf("outcomes %v\n%s", v.counts, shorten(v.transcript, 60))
				}
			})
		}
	}
}
