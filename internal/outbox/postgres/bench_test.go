package postgres_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// To measure:
//
//	go test -run - -bench . -benchtime 3s ./internal/outbox/postgres
//	YAN_MILLION=1 go test -run - -bench Million ./internal/outbox/postgres

// sizedContent is content of the given number of octets.
type sizedContent int64

func (c sizedContent) Size() int64         { return int64(c) }
func (c sizedContent) EightBit() bool      { return false }
func (c sizedContent) NeedsSMTPUTF8() bool { return false }

func (c sizedContent) WriteTo(w io.Writer) (int64, error) {
	block := []byte(strings.Repeat("0123456789abcdefghijklmnopqrstuv\r\n", 1000))
	written := int64(0)
	for written < int64(c) {
		n, err := w.Write(block[:min(int64(len(block)), int64(c)-written)])
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// testMessage returns a message to one recipient.
func testMessage(t testing.TB, content sizedContent) outbox.NewMessage {
	from, err := smtp.ParseAddress("from@example.org")
	if err != nil {
		t.Fatal(err)
	}
	to, err := smtp.ParseAddress("to@example.org")
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := smtp.NewEnvelope(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return outbox.NewMessage{Account: "a", Envelope: envelope, MessageID: "<1@example.org>", Subject: "Hello", Content: content}
}

func BenchmarkEnqueue(b *testing.B) {
	server := pgtest.Start(b)
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := openStore(b, server.Database(b), outbox.Options{}, postgres.TestSettings{})
			m := testMessage(b, 5<<10)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			runEach(callers, func(int) {
				for left.Add(-1) >= 0 {
					if _, err := s.Enqueue(b.Context(), m); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// runEach runs do in n goroutines.
func runEach(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

// enqueueMany enqueues n messages.
func enqueueMany(b *testing.B, s outbox.Store, n int) {
	m := testMessage(b, 5<<10)
	var left atomic.Int64
	left.Store(int64(n))
	runEach(128, func(int) {
		for left.Add(-1) >= 0 {
			if _, err := s.Enqueue(b.Context(), m); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkClaimMarkSettle measures a worker with 64 connections: bodies come with the claim,
// each message is marked and settled separately.
func BenchmarkClaimMarkSettle(b *testing.B) {
	server := pgtest.Start(b)
	s := openStore(b, server.Database(b), outbox.Options{}, postgres.TestSettings{})
	if err := s.Join(b.Context(), queue.Worker{Owner: "w", Host: "h", PID: 1}, time.Hour); err != nil {
		b.Fatal(err)
	}
	enqueueMany(b, s, b.N)
	items := make(chan outbox.Item, 256)
	b.ResetTimer()
	go func() {
		defer close(items)
		for {
			batch, err := s.Claim(b.Context(), outbox.Claim{Owner: "w", Account: "a", Recipients: 128, Bytes: 8 << 20})
			if err != nil {
				b.Error(err)
			}
			if len(batch.Items) == 0 {
				return
			}
			for _, item := range batch.Items {
				items <- item
			}
		}
	}()
	var done atomic.Int64
	runEach(64, func(int) {
		for item := range items {
			l := outbox.Lease{ID: item.ID, N: 0, Token: item.Recipients[0].Token}
			if len(item.Body) != 5<<10 {
				b.Errorf("the body has %d octets", len(item.Body))
			}
			if lost, err := s.Mark(b.Context(), "w", []outbox.Lease{l}); err != nil || len(lost) > 0 {
				b.Errorf("Mark: %v, %v", lost, err)
			}
			told := outbox.Settlement{Lease: l, State: queue.HandedOver, Answer: queue.Answer{Stage: smtp.StageBody, Reply: smtp.Reply{Code: 250, Lines: []string{"Ok: queued as 4bXyZ9"}}}}
			if stale, err := s.Settle(b.Context(), []outbox.Settlement{told}); err != nil || len(stale) > 0 {
				b.Errorf("Settle: %v, %v", stale, err)
			}
			done.Add(1)
		}
	})
	if done.Load() != int64(b.N) {
		b.Errorf("%d of %d came", done.Load(), b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkBig(b *testing.B) {
	const size = 50 << 20
	server := pgtest.Start(b)
	s := openStore(b, server.Database(b), outbox.Options{}, postgres.TestSettings{})
	var writing, reading time.Duration
	var peak uint64
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		var m runtime.MemStats
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			case <-done:
				return
			}
		}
	}()
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		r, err := s.Enqueue(b.Context(), testMessage(b, sizedContent(size+i))) // no two are equal
		if err != nil {
			b.Fatal(err)
		}
		writing += time.Since(began)
		began = time.Now()
		body, err := s.Body(b.Context(), r.ID)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, body); err != nil || n != int64(size+i) {
			b.Fatalf("read %d octets: %v", n, err)
		}
		reading += time.Since(began)
	}
	close(done)
	<-watched
	b.ReportMetric(float64(writing.Milliseconds())/float64(b.N), "ms/write")
	b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "ms/read")
	b.ReportMetric(float64(peak)/(1<<20), "heap-MiB")
}

// millionStore returns a store with a million queued messages, of eight accounts.
func millionStore(b *testing.B) *postgres.Store {
	if os.Getenv("YAN_MILLION") == "" {
		b.Skip("YAN_MILLION=1 runs it; to fill the table takes a minute")
	}
	server := pgtest.Own(b, pgtest.Options{Careless: true})
	url := server.Database(b)
	s := openStore(b, url, outbox.Options{}, postgres.TestSettings{Careless: true})
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range []string{
		`insert into yan.message (id, account, key, print, sender, message_id, subject, size, eight, utf8, "binary", has_body, created, expires, priority, report_on, recipients)
			select n, 'account' || n % 8, '', '', 'from@example.org', '<' || n || '@example.org>', 'Hello', 5120, false, false, false, true,
			clock_timestamp(), clock_timestamp() + interval '5 days', n % 3 - 1, 0, 1 from generate_series(1, 1000000) as n`,
		`insert into yan.delivery (message, n, account, priority, address, state, due, expires, updated)
			select id, 0, account, priority, 'to' || id || '@example.org', 'queued', created, expires, created from yan.message`,
		`insert into yan.event (message, n, account, kind, state, at) select id, -1, account, 'enqueued', 'queued', created from yan.message`,
		`insert into yan.tally (account, state, n) select account, 'queued', count(*) from yan.message group by account`,
		`insert into yan.body (message, data) select id, convert_to(repeat('0123456789', 512), 'UTF8') from yan.message where id <= 20000`,
		`select setval('yan.message_id', 1000000)`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Join(ctx, queue.Worker{Owner: "w", Host: "h", PID: 1}, time.Hour); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkMillion runs with the planner's statistics as autovacuum leaves them: missing at
// first, and there later.
func BenchmarkMillion(b *testing.B) {
	s := millionStore(b)
	for _, one := range []struct {
		name string
		do   func(ctx context.Context, i int) error
	}{
		{"claim", func(ctx context.Context, i int) error {
			batch, err := s.Claim(ctx, outbox.Claim{Owner: "w", Account: fmt.Sprintf("account%d", i%8), Recipients: 64, Bytes: 8 << 20})
			if err == nil && len(batch.Items) != 64 {
				err = fmt.Errorf("%d items", len(batch.Items))
			}
			return err
		}},
		{"list", func(ctx context.Context, i int) error { _, err := s.List(ctx, queue.Filter{}); return err }},
		{"list-queued-of-account", func(ctx context.Context, i int) error {
			_, err := s.List(ctx, queue.Filter{Account: "account3", States: []queue.State{queue.Queued}})
			return err
		}},
		{"list-in-doubt", func(ctx context.Context, i int) error {
			_, err := s.List(ctx, queue.Filter{States: []queue.State{queue.InDoubt}})
			return err
		}},
		{"list-held-oldest", func(ctx context.Context, i int) error {
			_, err := s.List(ctx, queue.Filter{States: []queue.State{queue.Held}, Oldest: true})
			return err
		}},
		{"stats", func(ctx context.Context, i int) error { _, err := s.Stats(ctx); return err }},
		{"due", func(ctx context.Context, i int) error { _, err := s.Due(ctx); return err }},
		{"sweep", func(ctx context.Context, i int) error { _, err := s.Sweep(ctx); return err }},
		{"unreported", func(ctx context.Context, i int) error { _, err := s.Unreported(ctx, 50); return err }},
		{"events-first", func(ctx context.Context, i int) error { _, _, err := s.Events(ctx, "", 100); return err }},
		{"show", func(ctx context.Context, i int) error { _, err := s.Show(ctx, queue.ID(i%1000000+1)); return err }},
		{"enqueue", func(ctx context.Context, i int) error { _, err := s.Enqueue(ctx, testMessage(b, 5<<10)); return err }},
	} {
		b.Run(one.name, func(b *testing.B) {
			var slowest time.Duration
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				if err := one.do(b.Context(), i); err != nil {
					b.Fatal(err)
				}
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/op")
			b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
		})
	}
}
