package sqlite

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// textContent is a smtpclient.Content.
type textContent string

func (c textContent) Size() int64         { return int64(len(c)) }
func (c textContent) EightBit() bool      { return false }
func (c textContent) NeedsSMTPUTF8() bool { return false }
func (c textContent) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(c))
	return int64(n), err
}

func mustAddress(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func testMessage(t testing.TB, body string, to ...string) outbox.NewMessage {
	t.Helper()
	if len(to) == 0 {
		to = []string{"bob@example.com"}
	}
	var list []smtp.Address
	for _, a := range to {
		list = append(list, mustAddress(t, a))
	}
	envelope, err := smtp.NewEnvelope(mustAddress(t, "alice@example.org"), list...)
	if err != nil {
		t.Fatal(err)
	}
	return outbox.NewMessage{Account: "work", Envelope: envelope, MessageID: "<1@example.org>", Subject: "Hello", Content: textContent(body)}
}

func openStore(t testing.TB, path string, o outbox.Options, h Harness) *sqliteStore {
	t.Helper()
	if o.MinFree == 0 {
		o.MinFree = -1
	}
	s, err := OpenWith(context.Background(), path, o, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*sqliteStore)
}

func newTestStore(t testing.TB) *sqliteStore {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{}, Harness{})
}

// mustJoin registers a worker, and returns its owner.
func mustJoin(t testing.TB, s outbox.Store, owner string) string {
	t.Helper()
	if err := s.Join(context.Background(), queue.Worker{Owner: owner, Host: "h", PID: 7}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return owner
}

func mustEnqueue(t testing.TB, s outbox.Store, m outbox.NewMessage) queue.ID {
	t.Helper()
	r, err := s.Enqueue(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// One message, from enqueueing to pruning.
func TestWay(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	id := mustEnqueue(t, s, testMessage(t, "Subject: Hello\r\n\r\nHello\r\n", "bob@example.com", "carol@example.com"))
	owner := mustJoin(t, s, "w1")
	batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 10, Bytes: 1 << 20})
	if err != nil || len(batch.Items) != 1 || len(batch.Items[0].Recipients) != 2 {
		t.Fatalf("claimed %+v, %v", batch, err)
	}
	item := batch.Items[0]
	if item.ID != id || !strings.HasSuffix(string(item.Body), "Hello\r\n") || item.From.String() != "alice@example.org" {
		t.Errorf("item %+v", item)
	}
	var leases []outbox.Lease
	var settled []outbox.Settlement
	for i, r := range item.Recipients {
		lease := outbox.Lease{ID: id, N: r.N, Token: r.Token}
		leases = append(leases, lease)
		settled = append(settled, outbox.Settlement{Lease: lease, State: []queue.State{queue.HandedOver, queue.Failed}[i],
			Answer: queue.Answer{Stage: smtp.StageBody, Reply: smtp.Reply{Code: 250, Lines: []string{"ok"}}}})
	}
	if lost, err := s.Mark(ctx, owner, leases); len(lost) > 0 || err != nil {
		t.Fatal(lost, err)
	}
	if stale, err := s.Settle(ctx, settled); len(stale) > 0 || err != nil {
		t.Fatal(stale, err)
	}
	entry, err := s.Show(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if entry.Recipients[0].State != queue.HandedOver || entry.Recipients[1].State != queue.Failed || entry.Recipients[1].Attempts != 1 {
		t.Errorf("%+v", entry.Recipients)
	}
	if len(entry.Events) != 3 || entry.Events[0].Kind != queue.EventEnqueued || entry.Events[2].Answer.Reply.Code != 250 {
		t.Errorf("%+v", entry.Events)
	}
	stats, err := s.Stats(ctx)
	if err != nil || stats.Accounts[0].Count[queue.HandedOver] != 1 || stats.Accounts[0].Count[queue.Queued] != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	reports, err := s.Unreported(ctx, 10)
	if err != nil || len(reports) != 1 || len(reports[0].Recipients) != 1 || reports[0].Recipients[0].N != 1 {
		t.Errorf("%+v, %v", reports, err)
	}
	if err := s.Reported(ctx, reports); err != nil {
		t.Fatal(err)
	}
	if reports, err = s.Unreported(ctx, 10); len(reports) > 0 || err != nil {
		t.Errorf("%+v, %v", reports, err)
	}
	pruned, err := s.Prune(ctx, outbox.Retention{})
	if err != nil || pruned.Messages != 1 {
		t.Errorf("%+v, %v", pruned, err)
	}
	if _, err := s.Show(ctx, id); err != queue.ErrNotFound {
		t.Errorf("%v", err)
	}
	checkTally(t, s)
}

// checkTally compares the counters with the rows.
func checkTally(t testing.TB, s *sqliteStore) {
	t.Helper()
	err := s.readTx(context.Background(), func(c *dbConn) error {
		return c.query(context.Background(), func(r resultRow) error {
			t.Errorf("account %d, %s: counted %d, there are %d", r.int(0), r.text(1), r.int(2), r.int(3))
			return nil
		}, `SELECT t.account, t.word, t.n, (SELECT count(*) FROM delivery d WHERE d.account = t.account AND d.state = t.word) AS there
			FROM tally t WHERE t.account > 0 AND t.n <> there
			UNION ALL SELECT m.id, 'open', m.open, (SELECT count(*) FROM delivery d WHERE d.id >> 17 = m.id
				AND d.state NOT IN ('handed_over', 'failed', 'expired', 'cancelled')) AS there FROM message m WHERE m.open <> there
				OR (m.open = 0) <> (m.ended IS NOT NULL)`)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLargeBody(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	body := strings.Repeat("0123456789abcdef\r\n", 20_000)
	id := mustEnqueue(t, s, testMessage(t, body))
	r, err := s.Body(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, []byte(body)) {
		t.Errorf("%d octets, %v", len(got), err)
	}
}

// envelopeOf sets the envelope of a message, without a test.
func envelopeOf(m *outbox.NewMessage) (err error) {
	from, err := smtp.ParseAddress("alice@example.org")
	if err != nil {
		return err
	}
	to, err := smtp.ParseAddress("bob@example.com")
	if err != nil {
		return err
	}
	m.Envelope, err = smtp.NewEnvelope(from, to)
	return err
}
