package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// outboxFixture is a machine with an account and an outbox in memory.
type outboxFixture struct {
	t     *testing.T
	clock *outboxtest.Clock
	store outbox.Store
	env   map[string]string
	width int // of the terminal; 0 for none
}

func newKeeper(t *testing.T) *outboxFixture {
	t.Helper()
	clock := outboxtest.NewClock()
	config := filepath.Join(t.TempDir(), "config.toml")
	text := "version = 1\n[account.qq]\nfrom = \"me@qq.com\"\nserver = \"smtps://127.0.0.1:1\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &outboxFixture{t: t, clock: clock, store: outboxtest.NewModel(clock), env: map[string]string{"YAN_CONFIG": config, "XDG_DATA_HOME": filepath.VolumeName(config) + string(filepath.Separator)}}
}

// open is World.OpenOutbox. Closing the result leaves the store open.
func (k *outboxFixture) open(context.Context, string, outbox.Options) (outbox.Store, error) {
	return unclosed{k.store}, nil
}

type unclosed struct{ outbox.Store }

func (unclosed) Close() error { return nil }

func (k *outboxFixture) yan(args ...string) (code int, out, errs string) {
	k.t.Helper()
	w, o, e := k.world()
	code = Run(k.t.Context(), args, w)
	return code, o.String(), e.String()
}

func (k *outboxFixture) world() (Env, *bytes.Buffer, *bytes.Buffer) {
	w, o, e := testEnv(k.env)
	w.Now, w.OpenOutbox, w.StdoutWidth = k.clock.Now, k.open, k.width
	return w, o, e
}

// enqueues enqueues a message and returns its number.
func (k *outboxFixture) enqueues(args ...string) queue.ID {
	k.t.Helper()
	code, out, errs := k.yan(append([]string{"send", "--queue", "-s", "hi", "-b", "x", "--json"}, args...)...)
	if code != command.ExitOK {
		k.t.Fatalf("enqueueing: %d %s", code, errs)
	}
	var got jsonout.Enqueued
	clitest.Decode(k.t, out, &got)
	return queue.ID(got.ID)
}

// sends claims due messages and settles them.
func (k *outboxFixture) sends(state queue.State, ans queue.Answer) {
	k.t.Helper()
	ctx := k.t.Context()
	owner := k.clock.Now().String()
	if err := k.store.Join(ctx, queue.Worker{Owner: owner, Host: "host", PID: 7}, time.Minute); err != nil {
		k.t.Fatal(err)
	}
	batch, err := k.store.Claim(ctx, outbox.Claim{Owner: owner, Account: "qq", Recipients: 100})
	if err != nil || len(batch.Items) == 0 {
		k.t.Fatalf("%d items, %v", len(batch.Items), err)
	}
	for _, item := range batch.Items {
		for _, r := range item.Recipients {
			lease := outbox.Lease{ID: item.ID, N: r.N, Token: r.Token}
			if lost, err := k.store.Mark(ctx, owner, []outbox.Lease{lease}); err != nil || len(lost) > 0 {
				k.t.Fatal(lost, err)
			}
			if stale, err := k.store.Settle(ctx, []outbox.Settlement{{Lease: lease, State: state, After: time.Minute, Answer: ans}}); err != nil || len(stale) > 0 {
				k.t.Fatal(stale, err)
			}
		}
	}
	if err := k.store.Leave(ctx, owner); err != nil {
		k.t.Fatal(err)
	}
}

// fullStore is a store with space for a few messages.
type fullStore struct {
	outbox.Store
	mu   sync.Mutex
	room int
	err  error
}

func (f *fullStore) Enqueue(ctx context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.room == 0 {
		return outbox.EnqueueResult{}, f.err
	}
	f.room--
	return f.Store.Enqueue(ctx, m)
}

// After the disk is full it is known which messages were stored, and none is stored partly.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for i := 1; i <= 3; i++ {
		if err := os.WriteFile(filepath.Join(folder, string(rune('a'+i))+".eml"), []byte(clitest.MailTo(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for err, want := range map[error]int{queue.ErrFull: command.ExitTemporary, queue.ErrBroken: command.ExitIO, queue.ErrClosed: command.ExitUnavailable} {
		for _, lang := range []string{"en", "zh"} {
			k := newKeeper(t)
			k.store = &fullStore{Store: k.store, room: 1, err: err}
			code, out, errs := k.yan("--lang", lang, "send", "--queue", "-A", "qq", "--raw", folder)
			if code != want || strings.Count(out, "✓") != 1 {
				t.Errorf("%v: exit status %d\n%s%s", err, code, out, errs)
			}
			if lang == "en" {
				clitest.Wants(t, "the error", errs, ".eml is neither sent nor in the outbox; 1 of 3 messages are", err.Error())
			}
			if list, listErr := k.store.List(t.Context(), queue.Filter{}); listErr != nil || len(list.Entries) != 1 {
				t.Errorf("%d messages are kept, %v", len(list.Entries), listErr)
			}
		}
	}
}

// A few messages keep their order. Many share commits: all are stored, and after a full disk the
// missing ones are not counted.
func TestManyAreEnqueuedTogether(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for i := range 150 {
		if err := os.WriteFile(filepath.Join(folder, strconv.Itoa(1000+i)+".eml"), []byte(clitest.MailTo(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := newKeeper(t)
	code, out, errs := k.yan("send", "--queue", "-A", "qq", "--raw", folder)
	if code != command.ExitOK || strings.Count(out, "✓") != 150 || !strings.Contains(out, "150 messages are in the outbox") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	k = newKeeper(t)
	k.store = &fullStore{Store: k.store, room: 70, err: queue.ErrFull}
	code, out, errs = k.yan("send", "--queue", "-A", "qq", "--raw", folder)
	if code != command.ExitTemporary || strings.Count(out, "✓") != 70 {
		t.Errorf("exit status %d, %d reported", code, strings.Count(out, "✓"))
	}
	clitest.Wants(t, "the error", errs, "70 of 150 messages are")
}

// Texts from others do not control the terminal.
func TestQueueShowsNoEscapes(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	m := outbox.NewMessage{Account: "qq", MessageID: "<x@y>", Subject: "s" + clitest.Escapes, Content: short("Subject: x\r\n\r\nx\r\n"), Tags: []string{"t"}, Key: "k"}
	to, err := smtp.ParseAddress("a@example.org")
	if err == nil {
		m.Envelope, err = smtp.NewEnvelope(to, to)
	}
	if err == nil {
		_, err = k.store.Enqueue(t.Context(), m)
	}
	if err != nil {
		t.Fatal(err)
	}
	k.sends(queue.Deferred, queue.Answer{Stage: smtp.StageRcpt + clitest.Escapes, Reply: smtp.Reply{Code: 450, Lines: []string{clitest.Escapes}}, Err: clitest.Escapes, ServerID: clitest.Escapes})
	if _, err := k.store.Pause(t.Context(), outbox.Pause{Account: "qq", For: time.Hour, Answer: queue.Answer{Err: "owned" + clitest.Escapes}}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"queue"}, {"queue", "show", "1"}, {"queue", "show", "1", "--json"}, {"queue", "--json"}, {"queue", "stats"}, {"queue", "stats", "--json"}} {
		code, out, errs := k.yan(args...)
		bad := func(r rune) bool { return r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') }
		if all := out + errs; code != command.ExitOK || strings.IndexFunc(all, bad) >= 0 || !strings.Contains(all, "owned") {
			t.Errorf("%q: exit status %d, %q", args, code, all)
		}
	}
}

type short string

func (s short) Size() int64         { return int64(len(s)) }
func (s short) EightBit() bool      { return false }
func (s short) NeedsSMTPUTF8() bool { return false }
func (s short) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write([]byte(s))
	return int64(n), err
}

// A message with more recipients than a list shows is summed up, and show prints all.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	var to []string
	for i := range 30 {
		to = append(to, "u"+strconv.Itoa(i)+"@example.org")
	}
	k.enqueues("-t", strings.Join(to, ","))
	_, out, _ := k.yan("queue")
	clitest.Wants(t, "the list", out, "u0@example.org +29", "20 queued, 10 more")
	_, out, _ = k.yan("queue", "show", "1")
	if n := strings.Count(out, "– u"); n != 30 {
		t.Errorf("%d recipients are shown", n)
	}
	_, out, _ = k.yan("queue", "cancel", "--to", "u2@")
	clitest.Wants(t, "the change", out, "cancelled (recipients: 1, messages: 1)")
}

// The JSON of show explains each attempt, as the text output does.
func TestShowExplainsEvents(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	k.enqueues("-t", "a@example.org")
	k.sends(queue.Failed, queue.Answer{Stage: smtp.StageBody, Reply: smtp.Reply{Code: 554, Lines: []string{"spam"}}})
	_, out, _ := k.yan("queue", "show", "1", "--json")
	var got jsonout.QueueEntry
	clitest.Decode(t, out, &got)
	explained := 0
	for _, e := range got.Events {
		if (e.Code != 0) != (e.Diagnosis != nil) {
			t.Errorf("%s: code %d, diagnosis %+v", e.Event, e.Code, e.Diagnosis)
		}
		if e.Diagnosis != nil {
			explained++
		}
	}
	if explained != 1 {
		t.Errorf("%d events are explained: %s", explained, out)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	for range 60 {
		k.enqueues("-t", "a@example.org")
	}
	for want, args := range map[int][]string{51: {"queue"}, 61: {"queue", "--limit", "0"}, 60: {"queue", "--json"}, 4: {"queue", "--limit", "3"}} {
		if code, out, _ := k.yan(args...); code != command.ExitOK || strings.Count(out, "\n") != want {
			t.Errorf("%q: %d lines, want %d", args, strings.Count(out, "\n"), want)
		}
	}
}

// tornStore is a store that returns a truncated message.
type tornStore struct{ outbox.Store }

func (s tornStore) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	body, err := s.Store.Body(ctx, id)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.LimitReader(body, 10)), nil
}

// export writes a whole message or none.
func TestExportIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	id := k.enqueues("-t", "a@example.org").String()
	file := filepath.Join(t.TempDir(), "m.eml")
	if code, _, errs := k.yan("queue", "export", id, "-o", file); code != command.ExitOK {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	whole, err := os.ReadFile(file)
	if err != nil || !bytes.HasSuffix(whole, []byte("\r\nx\r\n")) {
		t.Fatalf("%v: %q", err, whole)
	}
	k.store = tornStore{k.store}
	if code, out, errs := k.yan("queue", "export", id); code != command.ExitIO || out != "" {
		t.Errorf("exit status %d, printed %q: %s", code, out, errs)
	}
	if code, _, errs := k.yan("queue", "export", id, "-o", file); code != command.ExitCantCreate {
		t.Errorf("exit status %d: %s", code, errs)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if now, readErr := os.ReadFile(file); err != nil || readErr != nil || !bytes.Equal(now, whole) || len(left) != 1 {
		t.Errorf("%q afterwards, and %d files; %v %v", now, len(left), err, readErr)
	}
}

// enqueueing says whether a worker is running.
func TestSaysWhetherAnybodySends(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	args := []string{"send", "--queue", "-t", "a@example.org", "-s", "hi", "-b", "x", "--outbox", filepath.Join(t.TempDir(), "out.db")}
	_, out, _ := k.yan(args...)
	clitest.Wants(t, "without a worker", out, "No worker is running")
	if err := k.store.Join(t.Context(), queue.Worker{Owner: "o", Host: "host", PID: 7}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_, out, _ = k.yan(args...)
	clitest.Wants(t, "with a worker", out, "A worker is running")
	_, out, _ = k.yan("queue", "stats")
	clitest.Wants(t, "the stats", out, "process 7 on host has been sending")
	k.clock.Advance(2 * time.Minute)
	_, out, _ = k.yan(args...)
	clitest.Wants(t, "behind the end of its lease", out, "No worker is running")
}
