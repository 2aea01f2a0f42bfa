package admission_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// discard is a store that reads messages and keeps nothing.
type discard struct{ octets int64 }

func (d *discard) Enqueue(_ context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	n, err := m.Content.WriteTo(io.Discard)
	d.octets += n
	return outbox.EnqueueResult{ID: 1}, err
}

func (d *discard) EnqueueIn(ctx context.Context, _ outbox.CallerTx, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	return d.Enqueue(ctx, m)
}

func (d *discard) List(context.Context, queue.Filter) (queue.Page, error) { return queue.Page{}, nil }

// repeated is a message of which a part comes again and again.
type repeated struct {
	head, part string
	at, size   int64
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.at < r.size {
		from := r.head[min(r.at, int64(len(r.head))):]
		if from == "" {
			from = r.part[(r.at-int64(len(r.head)))%int64(len(r.part)):]
		}
		k := copy(p[n:min(int64(len(p)), int64(n)+r.size-r.at)], from)
		n, r.at = n+k, r.at+int64(k)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// The memory does not grow with the message: in lines, in Chinese and in one line without an end.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads and writes 200 MB")
	}
	w := newWorld(t)
	w.policy.grant.MaxSize = 8 << 30
	store := &discard{}
	w.o.Store, w.o.Observe = store, nil
	w.restart()
	const head = "Message-ID: <1@corp.example>\nSubject: x\n\n"
	for name, in := range map[string]*repeated{
		"lines":   {head: head, part: strings.Repeat("The quick brown fox jumps over the lazy dog.\n", 100), size: 128 << 20},
		"Chinese": {head: head, part: strings.Repeat("天地玄黄宇宙洪荒\n", 100), size: 32 << 20},
		"a line":  {head: head, part: strings.Repeat("x", 5000), size: 32 << 20},
	} {
		var most uint64
		measured := &measure{r: in, most: &most}
		tx, err := w.Begin(www, "", smtp.DSN{}, 0)
		if err != nil || tx.Recipient("a@b.example", "") != nil {
			t.Fatal(err)
		}
		store.octets = 0
		if _, err := tx.Accept(t.Context(), measured); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if most = max(most, m.HeapInuse); most > 64<<20 || store.octets < in.size {
			t.Errorf("%s: %d MB of heap for %d MB, %d octets stored", name, most>>20, in.size>>20, store.octets)
		}
		t.Logf("%s: %d MB of heap for %d MB", name, most>>20, in.size>>20)
	}
}

// measure looks at the heap while a message is read.
type measure struct {
	r     io.Reader
	most  *uint64
	calls int
}

func (m *measure) Read(p []byte) (int, error) {
	if m.calls++; m.calls%1000 == 0 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		*m.most = max(*m.most, stats.HeapInuse)
	}
	return m.r.Read(p)
}

// BenchmarkAccept is the work for a message of 5 kB without the store: spool, repair, checks, key.
func BenchmarkAccept(b *testing.B) {
	for name, text := range map[string]string{
		"cron":    "To: root\nFrom: root (Cron Daemon)\nSubject: Cron <root@host> x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n" + strings.Repeat("The quick brown fox jumps over the lazy dog, and it is 76 columns wide, ok?\n", 65),
		"SMTP":    strings.ReplaceAll("From: Shop <shop@web.example>\nTo: a@b.example\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMessage-ID: <1@b.example>\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\n"+strings.Repeat("The quick brown fox jumps over the lazy dog, and it is 76 columns wide, ok?\n", 65), "\n", "\r\n"),
		"Chinese": "To: root\nSubject: 你好\n\n" + strings.Repeat("天地玄黄宇宙洪荒日月盈昃辰宿列张\n", 104),
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			w.o.Store, w.o.Observe = &discard{}, nil
			w.restart()
			octets := []byte(text)
			b.SetBytes(int64(len(octets)))
			b.ReportAllocs()
			for b.Loop() {
				tx, err := w.Begin(admission.Peer{User: "root"}, "root", smtp.DSN{}, 0)
				if err == nil {
					err = tx.Recipient("root", "")
				}
				if err == nil {
					_, err = tx.Accept(b.Context(), bytes.NewReader(octets))
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
