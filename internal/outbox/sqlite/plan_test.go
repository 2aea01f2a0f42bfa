package sqlite

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Statements that run while mail is sent use indexes: none reads a whole table that grows with
// the mail. SQLite plans without statistics here, so that the plans of an empty outbox are
// those of a full one.
func TestNothingWalksThroughTheMail(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	m := testMessage(t, "x")
	m.Key = "k"
	mustEnqueue(t, s, m)
	mustEnqueue(t, s, testMessage(t, strings.Repeat("x", 300<<10)))
	s.Wake()
	for _, state := range []queue.State{queue.Queued, queue.Deferred, queue.Held, queue.Failed, queue.InDoubt} {
		settleNext(t, s, state)
	}
	for what, err := range map[string]error{
		"due":        errorOf(s.Due(ctx)),
		"stats":      errorOf(s.Stats(ctx)),
		"unreported": errorOf(s.Unreported(ctx, 10)),
		"sweep":      errorOf(s.Sweep(ctx)),
		"prune":      errorOf(s.Prune(ctx, outbox.Retention{Messages: time.Hour})),
		"forget":     errorOf(s.Prune(ctx, outbox.Retention{})),
		"body":       errorOf(s.Body(ctx, 999)),
		"slots":      errorOf(s.Slots(ctx, "w", "work", 1, 2)),
	} {
		if err != nil && err != queue.ErrNotFound && err != outbox.ErrLapsed {
			t.Errorf("%s: %v", what, err)
		}
	}
	conns := []*dbConn{s.writer}
	for range readers {
		conns = append(conns, <-s.reading)
	}
	seen := map[string]bool{}
	for _, c := range conns {
		for sql := range c.prepared {
			if !seen[sql] && regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE)`).MatchString(sql) {
				seen[sql] = true
			}
		}
	}
	for sql := range seen {
		err := conns[1].queryOnce(ctx, func(r resultRow) error {
			if walk := regexp.MustCompile(`^SCAN (m|d|e|b|message|delivery|event|body)\b`).FindString(r.text(3)); walk != "" &&
				!strings.Contains(sql, "min(id)") && !strings.Contains(sql, "unreported IS NOT NULL ORDER BY id") {
				t.Errorf("%s: %s", r.text(3), sql)
			}
			return nil
		}, "EXPLAIN QUERY PLAN "+sql, nilArgs(sql)...)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d statements were looked at", len(seen))
	}
	for range readers {
		s.reading <- conns[1+len(s.reading)]
	}
}

// nilArgs returns as many nil arguments as a statement has parameters.
func nilArgs(sql string) []any {
	numbered := map[string]bool{}
	for _, p := range regexp.MustCompile(`\?\d`).FindAllString(sql, -1) {
		numbered[p] = true
	}
	if n := len(numbered); n > 0 {
		return make([]any, n)
	}
	return make([]any, strings.Count(sql, "?"))
}

func errorOf[T any](_ T, err error) error { return err }

// settleNext enqueues a message and settles it with a state.
func settleNext(t *testing.T, s outbox.Store, state queue.State) {
	t.Helper()
	ctx := context.Background()
	if state == queue.Queued {
		mustJoin(t, s, "w")
	}
	mustEnqueue(t, s, testMessage(t, "y"))
	batch, err := s.Claim(ctx, outbox.Claim{Owner: "w", Account: "work", Recipients: 1, Bytes: 1 << 20,
		Pace: outbox.Pace{Messages: 1000, Per: time.Second, Burst: 1000}})
	if err != nil || len(batch.Items) != 1 {
		t.Fatal(batch, err)
	}
	l := outbox.Lease{ID: batch.Items[0].ID, N: 0, Token: batch.Items[0].Recipients[0].Token}
	if _, err := s.Mark(ctx, "w", []outbox.Lease{l}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(ctx, []outbox.Settlement{{Lease: l, State: state}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Show(ctx, l.ID); err != nil {
		t.Fatal(err)
	}
	for _, verb := range queue.Verbs() {
		if _, err := s.Change(ctx, outbox.Change{Verb: verb, Filter: queue.Filter{IDs: []queue.ID{l.ID}}}); err != nil {
			if _, ok := err.(*queue.StateError); !ok {
				t.Fatal(err)
			}
		}
	}
}

// A page of a list by state is read from the indexes, too.
func TestStatesAreListedByIndex(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	plans := 0
	for _, state := range queue.States() {
		for _, f := range []queue.Filter{{}, {Before: 7}, {Before: 7, Oldest: true, To: "a", Doubted: true}} {
			f.States = []queue.State{state}
			err := s.readTx(ctx, func(c *dbConn) error {
				by, err := byState(ctx, c, f)
				if err != nil {
					return err
				}
				return c.queryOnce(ctx, func(r resultRow) error {
					if plans++; strings.HasPrefix(r.text(3), "SCAN d") && !strings.Contains(r.text(3), "USING INDEX delivery_") &&
						!strings.Contains(r.text(3), "USING COVERING INDEX delivery_") {
						t.Errorf("%s: %s", state, r.text(3))
					}
					return nil
				}, "EXPLAIN QUERY PLAN "+by.String(), by.args...)
			})
			if err != nil {
				t.Errorf("%s: %v", state, err)
			}
		}
	}
	if plans < 30 {
		t.Errorf("%d plans", plans)
	}
}
