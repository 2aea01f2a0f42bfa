package sqlite

import (
	"context"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// A message with damaged rows becomes Held, and the others are delivered and listed.
func TestASenselessMessageHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"sender":    "UPDATE message SET sender = 'no address' WHERE id = 2",
		"recipient": "UPDATE delivery SET address = char(27) || ']0;x' WHERE id >= 2 << 17 AND id < 3 << 17",
		"dsn":       "UPDATE message SET dsn = '[]' WHERE id = 2",
		"answer":    "UPDATE delivery SET answer = '[]', state = 'deferred' WHERE id >= 2 << 17 AND id < 3 << 17",
		"tags":      "UPDATE message SET tags = '{' WHERE id = 2",
		"gone":      "DELETE FROM message WHERE id = 2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, s := context.Background(), newTestStore(t)
			for range 3 {
				mustEnqueue(t, s, testMessage(t, "text", "a@example.org", "b@example.org"))
			}
			runStatements(t, s.path, damage)
			owner := mustJoin(t, s, "w")
			batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 100})
			if err != nil {
				t.Fatal(err)
			}
			var ids []queue.ID
			for _, item := range batch.Items {
				ids = append(ids, item.ID)
			}
			got := len(ids)
			if got < 2 || ids[0] != 1 || ids[got-1] != 3 {
				t.Errorf("claimed %v", ids)
			}
			again, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 100})
			if err != nil || len(again.Items) != 0 {
				t.Errorf("claimed again: %v, %v", again.Items, err)
			}
			stats, err := s.Stats(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if count := stats.Accounts[0].Count; got == 2 && count[queue.Held] != 2 || got == 2 && count[queue.Leased] != 4 {
				t.Errorf("counted %v", count)
			}
			if page, err := s.List(ctx, queue.Filter{}); err != nil || len(page.Entries) < 2 {
				t.Errorf("listed %d, %v", len(page.Entries), err)
			}
			if _, _, err := s.Events(ctx, "", 100); err != nil {
				t.Error(err)
			}
			if name != "gone" {
				if e, err := s.Show(ctx, 2); err != nil || e.Total != 2 {
					t.Errorf("%+v, %v", e, err)
				}
			}
		})
	}
}

// Nor does a damaged message hide the bounces of others.
func TestASenselessMessageHidesNoReport(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	for range 2 {
		mustEnqueue(t, s, testMessage(t, "text"))
	}
	owner := mustJoin(t, s, "w")
	batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range batch.Items {
		for _, r := range item.Recipients {
			if _, err := s.Settle(ctx, []outbox.Settlement{{Lease: outbox.Lease{ID: item.ID, N: r.N, Token: r.Token}, State: queue.Failed,
				Answer: queue.Answer{Reply: smtp.Reply{Code: 550, Lines: []string{"no"}}}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	runStatements(t, s.path, "UPDATE message SET sender = 'no address', dsn = '[]' WHERE id = 1", "UPDATE delivery SET address = '', answer = '[]' WHERE id < 2 << 17")
	reports, err := s.Unreported(ctx, 10)
	if err != nil || len(reports) != 2 || !reports[0].From.IsZero() || reports[1].From.IsZero() {
		t.Errorf("%+v, %v", reports, err)
	}
}
