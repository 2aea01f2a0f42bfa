//go:build linux

package durability

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
)

// copying is a course in which the outbox is copied during its delivery, after a number of calls of
// its worker. Then the copy is delivered, too.
type copying struct {
	calls int
	moved bool // adopt with --moved although the original exists: the control
}

func (c copying) run(t *testing.T) (refused, reached bool, copyOf outbox.Adopted, wrong []string) {
	t.Helper()
	from, to := t.TempDir(), t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	open := func(folder string, clock *outboxtest.Clock) (outbox.Store, error) {
		return sqlite.Open(ctx, filepath.Join(folder, "outbox.db"), outbox.Options{Now: clock.Now, Uptime: clock.Uptime, MinFree: -1, InlineBytes: inlineBytes})
	}
	s, err := outboxCourse{sendMode: modes()[1], letters: relayLetters(), connections: 1,
		open: func(clock *outboxtest.Clock) (outbox.Store, error) { return open(from, clock) }}.begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	w := s.worker(&outboxVerdict{})
	var copying error
	w.store = &watchedStore{Store: s.store, at: func(_ string, number int, done bool) {
		if number == c.calls && done && !reached {
			reached = true
			copying = os.CopyFS(to, os.DirFS(from))
		}
	}}
	if err := errors.Join(w.drain(ctx), copying); err != nil || !reached {
		if err != nil {
			t.Fatal(err)
		}
		return false, reached, copyOf, nil
	}
	twin, err := open(to, s.clock)
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	second := s.worker(&outboxVerdict{})
	second.store = twin
	refused = errors.Is(second.drain(ctx), queue.ErrCopied)
	if copyOf, err = twin.Adopt(ctx, c.moved); err != nil {
		t.Fatal(err)
	}
	third := s.worker(&outboxVerdict{})
	third.store = twin
	if err := third.drain(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.line.quiet(ctx); err != nil {
		t.Fatal(err)
	}
	_, wrong, err = Examine(ctx, s.store, s.evidence)
	if err != nil {
		t.Fatal(err)
	}
	return refused, reached, copyOf, wrong
}

// TestCopyThatIsDelivered checks a copy made at any call of a worker: it sends nothing before it is
// adopted, and afterwards nothing that the original has sent. The control adopts it with the wrong
// claim that the original is gone.
func TestCopyThatIsDelivered(t *testing.T) {
	t.Parallel()
	every := 3
	if *thorough {
		every = 1
	}
	courses, doubted, twice := 0, 0, 0
	for calls := 1; ; calls += every {
		what := fmt.Sprintf("copied after call %d", calls)
		refused, reached, adopted, wrong := copying{calls: calls}.run(t)
		if !reached {
			break
		}
		courses++
		doubted += adopted.Doubted
		if !refused || !adopted.Was || len(wrong) > 0 {
			t.Errorf("%s: refused %v, adopted %+v\n%s", what, refused, adopted, FirstFew(wrong))
		}
		if _, _, _, wrong = (copying{calls: calls, moved: true}).run(t); len(wrong) > 0 {
			twice++
		}
	}
	t.Logf("%d copies, %d recipients in doubt; with --moved %d copies sent something twice", courses, doubted, twice)
	if courses < 5 || doubted == 0 || twice == 0 {
		t.Error("no copy was in doubt, or the control sent nothing twice")
	}
}
