package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/queue"
)

// million copies the one message of an outbox a million times; enqueueing so many would take
// minutes.
const million = `
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 999999) INSERT INTO message
SELECT m.id + n, m.account, key, fingerprint, sender, folded, dsn, message_id, subject, size, form, created, not_before, expires, priority, tags,
  report_on, recipients, body, spool, open, ended, stage, event FROM message m, i;
INSERT INTO body SELECT m.id, b.data FROM message m, (SELECT min(message) AS first, data FROM body) b WHERE m.id > b.first;
INSERT INTO delivery SELECT m.id << 17, d.account, d.priority, state, due, waits, d.expires, owner, token, attempts, doubted, unreported, updated,
  address, d.folded, answer FROM message m, (SELECT * FROM delivery) d WHERE m.id > d.id >> 17;
UPDATE tally SET n = 1000000 WHERE word IN ('queued', 'message');`

// BenchmarkServeMemory reports the peak memory of 'yan serve' with a million messages, while it
// delivers some of them:
//
//	go test -run '^$' -bench ServeMemory -benchtime 1x ./internal/cli
func BenchmarkServeMemory(b *testing.B) {
	const queued, sent = 1_000_000, 100_000
	m := newMachine(b)
	m.enqueue(b, "friend@example.org")
	fill := exec.CommandContext(b.Context(), "sqlite3", m.outbox, million)
	if out, err := fill.CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
		b.Skip("the program sqlite3 is not here")
	} else if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if got := m.counts(b)[queue.Queued]; got != queued {
		b.Fatalf("%d are queued", got)
	}
	for b.Loop() {
		p, began := m.serve(b), time.Now()
		for m.counts(b)[queue.HandedOver] < sent {
			<-time.Tick(100 * time.Millisecond)
		}
		b.ReportMetric(sent/time.Since(began).Seconds(), "messages/s")
		b.ReportMetric(residentOf(b, p.Process.Pid, "VmHWM"), "MB-peak")
		b.ReportMetric(residentOf(b, p.Process.Pid, "VmRSS"), "MB")
		p.signal(b, syscall.SIGTERM)
		if err := p.end(b); err != nil {
			b.Fatalf("%v\n%s", err, p.said)
		}
	}
}

// residentOf reads a memory figure of a process from the system, in megabytes.
func residentOf(b *testing.B, pid int, what string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("memory is not told here: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == what+":" {
			kB, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kB / 1000
		}
	}
	b.Fatalf("no %s", what)
	return 0
}
