package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// A message with damaged rows becomes Held, and the others are delivered and listed.
func TestASenselessMessageHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for name, damage := range map[string]string{
		"sender":    "update yan.message set sender = 'no address' where id = $1",
		"recipient": "update yan.delivery set address = 'no address' where message = $1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, url := context.Background(), server.Database(t)
			s := openStore(t, url, outbox.Options{}, postgres.TestSettings{})
			var ids []queue.ID
			for range 3 {
				content, err := message.Compose(&message.Message{From: "me@example.org", To: []string{"a@example.org", "b@example.org"}, Text: "text"})
				if err != nil {
					t.Fatal(err)
				}
				envelope, err := content.Envelope()
				if err != nil {
					t.Fatal(err)
				}
				r, err := s.Enqueue(ctx, outbox.NewMessage{Account: "work", Envelope: envelope, Content: content})
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, r.ID)
			}
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(ctx, damage, int64(ids[1])); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close(ctx)
			if err := s.Join(ctx, queue.Worker{Owner: "w"}, 1e12); err != nil {
				t.Fatal(err)
			}
			batch, err := s.Claim(ctx, outbox.Claim{Owner: "w", Account: "work", Recipients: 100, Bytes: 1 << 20})
			if err != nil || len(batch.Items) != 2 || batch.Items[0].ID != ids[0] || batch.Items[1].ID != ids[2] || len(batch.Items[1].Body) == 0 {
				t.Fatalf("claimed %+v, %v", batch.Items, err)
			}
			stats, err := s.Stats(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if count := stats.Accounts[0].Count; count[queue.Held] != 2 || count[queue.Leased] != 4 || count[queue.Queued] != 0 {
				t.Errorf("counted %v", count)
			}
			e, err := s.Show(ctx, ids[1])
			if err != nil || len(e.Recipients) != 2 || e.Recipients[0].State != queue.Held || e.Recipients[0].Answer.Err == "" {
				t.Errorf("%+v, %v", e.Recipients, err)
			}
			if page, err := s.List(ctx, queue.Filter{}); err != nil || len(page.Entries) != 3 {
				t.Errorf("listed %d, %v", len(page.Entries), err)
			}
			if _, _, err := s.Events(ctx, "", 100); err != nil {
				t.Error(err)
			}
		})
	}
}
