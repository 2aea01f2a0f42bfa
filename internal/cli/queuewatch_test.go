package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// A terminal is redrawn, one row for each line, until the messages are finished.
func TestWatchRedrawsATerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{30, 80} {
		k := newKeeper(t)
		k.width = width
		id := k.enqueues("-t", "a-rather-long-address-of-somebody@example.org", "-t", "b@example.org")
		w, out, errs := k.world()
		drawn := make(chan struct{}, 100)
		w.Stdout = &signalling{out: out, wrote: drawn}
		ended := make(chan int, 1)
		go func() { ended <- Run(t.Context(), []string{"queue", "watch", id.String()}, w) }()
		await(t, drawn)
		k.sends(queue.HandedOver, queue.Answer{Stage: smtp.StageBody, Reply: smtp.Reply{Code: 250}})
		if code := await(t, ended); code != command.ExitOK {
			t.Errorf("exit status %d: %s", code, errs)
		}
		text := out.String()
		if !strings.Contains(text, "A\x1b[J") {
			t.Errorf("nothing was drawn over: %q", text)
		}
		_, last, _ := strings.Cut(text, "A\x1b[J")
		if i := strings.LastIndex(last, "\x1b[J"); i >= 0 {
			last = last[i:]
		}
		if !strings.Contains(last, "✓ 1  a-rather-long-addres") {
			t.Errorf("the last drawing is %q", last)
		}
		for line := range strings.Lines(text) {
			if n := console.Columns(strings.TrimRight(strings.TrimPrefix(line, "\x1b[J"), "\n")); n > width {
				t.Errorf("%d columns on a terminal of %d: %q", n, width, line)
			}
		}
	}
}

// await receives from c with a time limit.
func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("it does not come")
		panic("not reached")
	}
}

// signalling reports each write.
type signalling struct {
	mu    sync.Mutex
	out   *bytes.Buffer
	wrote chan struct{}
}

func (s *signalling) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return s.out.Write(p)
}

// JSON output has the events of the named messages from the beginning, each once.
func TestWatchFromTheBeginning(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	k.enqueues("-t", "other@example.org", "--at", "+1h")
	id := k.enqueues("-t", "a@example.org")
	k.sends(queue.Deferred, queue.Answer{Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: 450, Lines: []string{"later"}}, Class: "TEMPORARY"})
	w, out, errs := k.world()
	wrote := make(chan struct{}, 100)
	w.Stdout = &signalling{out: out, wrote: wrote}
	ended := make(chan int, 1)
	go func() { ended <- Run(t.Context(), []string{"queue", "watch", id.String(), "--json"}, w) }()
	for range 2 {
		await(t, wrote)
	}
	k.clock.Advance(2 * time.Minute)
	k.sends(queue.Failed, queue.Answer{Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: 550, Lines: []string{"no such user"}}, Class: "RECIPIENT_INVALID"})
	if code := await(t, ended); code != command.ExitNoUser {
		t.Errorf("exit status %d: %s", code, errs)
	}
	var kinds []string
	for line := range strings.Lines(out.String()) {
		var e jsonout.QueueEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID != int64(id) {
			t.Errorf("%v: %s", err, line)
		}
		kinds = append(kinds, e.Event)
	}
	if want := []string{"enqueued", "deferred", "failed"}; !slices.Equal(kinds, want) {
		t.Errorf("events %q, want %q", kinds, want)
	}
}

func TestWatchEndsWithCtrlC(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	id := k.enqueues("-t", "a@example.org")
	for want, args := range map[int][]string{command.ExitOK: {"queue", "watch"}, command.ExitTemporary: {"queue", "watch", id.String()}} {
		ctx, cancel := context.WithCancel(t.Context())
		w, _, errs := k.world()
		w.After = func(time.Duration) <-chan time.Time { // waits for an event
			cancel()
			return nil
		}
		if code := Run(ctx, args, w); code != want {
			t.Errorf("%q: exit status %d, want %d: %s", args, code, want, errs)
		}
	}
}
