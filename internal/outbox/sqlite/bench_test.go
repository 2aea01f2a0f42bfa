package sqlite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Compare the figures with BenchmarkDisk in the same folder: TMPDIR chooses it.
//
//	go test -run '^$' -bench . -benchtime 3s ./internal/outbox/sqlite
//	YAN_BENCH_MILLION=/var/tmp/million.db go test -run '^$' -bench Million -timeout 1h ./internal/outbox/sqlite

// BenchmarkDisk measures the disk: 4 kB appended and synced.
func BenchmarkDisk(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "disk"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4<<10)
	for b.Loop() {
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := datasync(f); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, b.N)
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
}

var fiveKB = strings.Repeat("0123456789012345678901234567890123456789012345678901234567890123456789012345678\r\n", 62)

func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, m := newTestStore(b), testMessage(b, fiveKB)
			runMany(b, callers, func(int) { mustEnqueue(b, s, m) })
			perSecond(b, b.N)
		})
	}
}

// runMany runs do b.N times in total, by several concurrent callers.
func runMany(b *testing.B, callers int, do func(caller int)) {
	var wait sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	for caller := range callers {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				do(caller)
			}
		})
	}
	wait.Wait()
	b.StopTimer()
}

// BenchmarkClaimMarkSettle measures the store's share of sending a message: it is claimed with
// its body, marked, and settled, by 64 goroutines that claim 16 at a time, mark them together,
// and settle each separately.
func BenchmarkClaimMarkSettle(b *testing.B) {
	ctx, s, m := context.Background(), newTestStore(b), testMessage(b, fiveKB)
	var wait sync.WaitGroup
	for caller := range 64 {
		wait.Go(func() {
			for range (b.N + 63 - caller) / 64 {
				mustEnqueue(b, s, m)
			}
		})
	}
	wait.Wait()
	owner := mustJoin(b, s, "w")
	var done atomic.Int64
	b.ResetTimer()
	for range 64 {
		wait.Go(func() {
			for {
				batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 16, Bytes: 1 << 20})
				if err != nil || len(batch.Items) == 0 {
					if err != nil {
						b.Error(err)
					}
					return
				}
				var leases []outbox.Lease
				for _, item := range batch.Items {
					if len(item.Body) != len(fiveKB) {
						b.Error("no body")
					}
					leases = append(leases, outbox.Lease{ID: item.ID, N: 0, Token: item.Recipients[0].Token})
				}
				if lost, err := s.Mark(ctx, owner, leases); err != nil || len(lost) > 0 {
					b.Error(lost, err)
				}
				for _, l := range leases {
					settled := []outbox.Settlement{{Lease: l, State: queue.HandedOver, Answer: queue.Answer{Stage: "body", ServerID: "ABC"}}}
					if stale, err := s.Settle(ctx, settled); err != nil || len(stale) > 0 {
						b.Error(stale, err)
					}
				}
				done.Add(int64(len(leases)))
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	if int(done.Load()) != b.N {
		b.Errorf("%d of %d", done.Load(), b.N)
	}
	perSecond(b, b.N)
}

// bigContent is a generated body of 50 MB.
type bigContent struct{ serial int64 }

func (bigContent) Size() int64         { return 50 << 20 }
func (bigContent) EightBit() bool      { return false }
func (bigContent) NeedsSMTPUTF8() bool { return false }
func (c bigContent) WriteTo(w io.Writer) (sum int64, err error) {
	block := []byte(fmt.Sprintf("%064d", c.serial) + strings.Repeat("x", 64<<10-66) + "\r\n")
	for sum < c.Size() {
		n, err := w.Write(block)
		if sum += int64(n); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func BenchmarkBig(b *testing.B) {
	s, m := newTestStore(b), testMessage(b, "x")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var serial int64
	for b.Loop() {
		serial++
		m.Content = bigContent{serial}
		mustEnqueue(b, s, m)
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "MB-allocated/op")
}

// millionStore opens an outbox with a million queued messages. It creates a missing one, which
// takes minutes.
func millionStore(b *testing.B) *sqliteStore {
	path := os.Getenv("YAN_BENCH_MILLION")
	if path == "" {
		b.Skip("YAN_BENCH_MILLION does not name the file with a million messages")
	}
	s := openStore(b, path, outbox.Options{}, Harness{})
	stats, err := s.Stats(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	have := 0
	for _, a := range stats.Accounts {
		have += a.Count[queue.Queued]
	}
	m := testMessage(b, "Subject: x\r\n\r\nHello\r\n")
	var wait sync.WaitGroup
	for caller := range 256 {
		wait.Go(func() {
			for range (1_000_000 - have + 255 - caller) / 256 {
				mustEnqueue(b, s, m)
			}
		})
	}
	wait.Wait()
	return s
}

func BenchmarkMillionClaim(b *testing.B) {
	ctx, s := context.Background(), millionStore(b)
	owner := mustJoin(b, s, fmt.Sprint("bench", time.Now().UnixNano()))
	for b.Loop() {
		batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 16, Bytes: 1 << 20})
		if err != nil || len(batch.Items) != 16 {
			b.Fatal(len(batch.Items), err)
		}
	}
	if err := s.Leave(ctx, owner); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkMillionList(b *testing.B) {
	ctx, s := context.Background(), millionStore(b)
	for name, f := range map[string]queue.Filter{
		"all": {}, "account": {Account: "work"}, "queued": {States: []queue.State{queue.Queued}}, "failed": {States: []queue.State{queue.Failed}},
		"last": {Before: 51}, "oldest": {Oldest: true}, "leased": {States: []queue.State{queue.Leased, queue.Sending}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.List(ctx, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMillionStats(b *testing.B) {
	s := millionStore(b)
	for b.Loop() {
		if stats, err := s.Stats(context.Background()); err != nil || stats.Oldest.IsZero() {
			b.Fatal(err)
		}
	}
}

func BenchmarkMillionDue(b *testing.B) {
	s := millionStore(b)
	for b.Loop() {
		if due, err := s.Due(context.Background()); err != nil || len(due) != 1 {
			b.Fatal(err)
		}
	}
}
