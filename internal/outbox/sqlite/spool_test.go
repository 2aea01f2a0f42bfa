package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func spooledFiles(t testing.TB, s *sqliteStore) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.spoolFolder(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func withSpool(t testing.TB, h Harness) *sqliteStore {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{InlineBytes: 10}, h)
}

// settleRest settles all queued recipients as handed over.
func settleRest(t testing.TB, s outbox.Store) {
	t.Helper()
	ctx := context.Background()
	owner := mustJoin(t, s, "finish")
	batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range batch.Items {
		for _, r := range item.Recipients {
			stale, err := s.Settle(ctx, []outbox.Settlement{{Lease: outbox.Lease{ID: item.ID, N: r.N, Token: r.Token}, State: queue.HandedOver}})
			if err != nil || len(stale) > 0 {
				t.Fatal(stale, err)
			}
		}
	}
	if err := s.Leave(ctx, owner); err != nil {
		t.Fatal(err)
	}
}

func TestTheSameBodyIsKeptOnce(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{})
	mustEnqueue(t, s, testMessage(t, "the same body"))
	settleRest(t, s)
	second := mustEnqueue(t, s, testMessage(t, "the same body"))
	if files := spooledFiles(t, s); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
	if _, err := s.Prune(ctx, outbox.Retention{}); err != nil {
		t.Fatal(err)
	}
	body, err := s.Body(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(body); string(text) != "the same body" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	_ = body.Close()
	settleRest(t, s)
	if _, err := s.Prune(ctx, outbox.Retention{Messages: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if files := spooledFiles(t, s); len(files) != 0 {
		t.Errorf("files: %v", files)
	}
	if _, err := s.Body(ctx, second); err != queue.ErrNoBody {
		t.Errorf("%v", err)
	}
}

func TestAMissingFileIsItsMessagesAlone(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{})
	first := mustEnqueue(t, s, testMessage(t, "the first body"))
	if err := os.Remove(spooledFiles(t, s)[0]); err != nil {
		t.Fatal(err)
	}
	second := mustEnqueue(t, s, testMessage(t, "the second body"))
	if _, err := s.Body(ctx, first); err != queue.ErrNoBody {
		t.Errorf("%v", err)
	}
	batch, err := s.Claim(ctx, outbox.Claim{Owner: mustJoin(t, s, "w"), Account: "work", Recipients: 10, Bytes: 1000})
	if err != nil || len(batch.Items) != 2 {
		t.Errorf("%+v, %v", batch, err)
	}
	body, err := s.Body(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	// Enqueueing the same body again restores it.
	mustEnqueue(t, s, testMessage(t, "the first body"))
	if body, err = s.Body(ctx, first); err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
}

// A body is enqueued while the last message that has it is pruned: at every moment each
// message has its body.
func TestPruneBesideEnqueue(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s := openStore(t, path, outbox.Options{InlineBytes: 10}, Harness{})
	pruner := openStore(t, path, outbox.Options{}, Harness{})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			if _, err := pruner.Prune(ctx, outbox.Retention{}); err != nil {
				t.Error(err)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 30 {
		id := mustEnqueue(t, s, testMessage(t, "always the same body"))
		body, err := s.Body(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		if _, err := s.Change(ctx, outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{id}}}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wait.Wait()
	if _, err := s.Prune(ctx, outbox.Retention{}); err != nil {
		t.Fatal(err)
	}
	if files := spooledFiles(t, s); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
	checkTally(t, s)
}

// A Prune between the writing of a body and of its row removes nothing.
func TestPruneBetween(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "outbox.db")
	pruner := openStore(t, path, outbox.Options{InlineBytes: 10}, Harness{})
	mustEnqueue(t, pruner, testMessage(t, "a body for two"))
	settleRest(t, pruner)
	pruned := 0
	s := openStore(t, path, outbox.Options{InlineBytes: 10}, Harness{Hook: func(point string) {
		if point == spooled {
			if p, err := pruner.Prune(ctx, outbox.Retention{}); err != nil || p.Messages != 1 {
				t.Errorf("%+v, %v", p, err)
			}
			pruned++
		}
	}})
	id := mustEnqueue(t, s, testMessage(t, "a body for two"))
	body, err := s.Body(ctx, id)
	if err != nil || pruned != 1 {
		t.Fatal(pruned, err)
	}
	_ = body.Close()
}

func TestPruneClearsTheSpool(t *testing.T) {
	t.Parallel()
	ctx, f := context.Background(), &failingStatements{}
	s := withSpool(t, Harness{fault: f.faultOf})
	kept := mustEnqueue(t, s, testMessage(t, "a body that stays"))
	f.setFault("INSERT INTO delivery", errors.New("not now"))
	if _, err := s.Enqueue(ctx, testMessage(t, "a body of nobody")); err == nil {
		t.Fatal("it was to fail")
	}
	f.setFault("", nil)
	half := filepath.Join(s.spoolFolder(), "1"+halfName)
	old := filepath.Join(s.spoolFolder(), "2"+halfName)
	strange := filepath.Join(s.spoolFolder(), "README")
	for _, name := range []string{half, old, strange} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if files := spooledFiles(t, s); len(files) != 5 {
		t.Fatalf("%v", files)
	}
	if _, err := s.Prune(ctx, outbox.Retention{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range spooledFiles(t, s) {
		names = append(names, filepath.Base(name))
	}
	if len(names) != 3 || !strings.Contains(strings.Join(names, " "), "1"+halfName+" README") && len(names[0]) != 64 {
		t.Errorf("left: %v", names)
	}
	body, err := s.Body(ctx, kept)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
}

func TestContentThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{})
	m := testMessage(t, "x")
	for _, c := range []lyingContent{{size: 100, writes: 99}, {size: 100, writes: 101}, {size: 5, writes: 6}, {size: 5, writes: 4}} {
		m.Content = c
		if _, err := s.Enqueue(ctx, m); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if files := spooledFiles(t, s); len(files) > 0 {
		t.Errorf("%v", files)
	}
	if page, err := s.List(ctx, queue.Filter{}); len(page.Entries) > 0 || err != nil {
		t.Errorf("%+v, %v", page, err)
	}
}

type lyingContent struct{ size, writes int }

func (c lyingContent) Size() int64         { return int64(c.size) }
func (c lyingContent) EightBit() bool      { return false }
func (c lyingContent) NeedsSMTPUTF8() bool { return false }
func (c lyingContent) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, strings.Repeat("x", c.writes))
	return int64(n), err
}
