package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
)

// uncertainStore is a store whose disk fails in each commit.
type uncertainStore struct{ outbox.Store }

func (uncertainStore) err() error { return fmt.Errorf("%w: %w", queue.ErrUncertain, queue.ErrBroken) }

func (u uncertainStore) Enqueue(context.Context, outbox.NewMessage) (outbox.EnqueueResult, error) {
	return outbox.EnqueueResult{}, u.err()
}

func (u uncertainStore) Change(context.Context, outbox.Change) (queue.Changed, error) {
	return queue.Changed{}, u.err()
}

func (u uncertainStore) Prune(context.Context, outbox.Retention) (outbox.Pruned, error) {
	return outbox.Pruned{}, u.err()
}

func (u uncertainStore) Adopt(context.Context, bool) (outbox.Adopted, error) {
	return outbox.Adopted{}, u.err()
}

// If it is unknown whether a change was stored, no command says that it was not.
func TestUncertainIsSaid(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	if code, _, errs := k.yan("send", "--queue", "-A", "qq", "-t", "a@example.org", "-s", "x", "-b", "y"); code != 0 {
		t.Fatal(errs)
	}
	k.store = uncertainStore{k.store}
	raw := filepath.Join(t.TempDir(), "a.eml")
	if err := os.WriteFile(raw, []byte(clitest.MailTo(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	send := []string{"send", "--queue", "-A", "qq", "-t", "a@example.org", "-s", "x", "-b", "y"}
	for _, args := range [][]string{
		send, append(send, "--key", "k"), {"send", "--queue", "-A", "qq", "--raw", raw, raw},
		{"queue", "hold", "1"}, {"queue", "retry", "1"}, {"queue", "cancel", "1"}, {"queue", "prune"}, {"queue", "adopt"},
	} {
		code, out, errs := k.yan(args...)
		if code != command.ExitUnknown || strings.Contains(errs, "neither") || strings.Contains(out, "✓") {
			t.Errorf("%v: exit status %d\n%s%s", args, code, out, errs)
		}
		clitest.Wants(t, strings.Join(args, " "), errs, "unknown")
		if code, _, errs := k.yan(append([]string{"--lang", "zh"}, args...)...); code != command.ExitUnknown || !strings.Contains(errs, "无法确定") {
			t.Errorf("%v: exit status %d\n%s", args, code, errs)
		}
	}
	code, out, _ := k.yan(append(send, "--json")...)
	var event struct {
		Event string `json:"event"`
		ID    *int64 `json:"id"`
		To    []string
	}
	if err := json.Unmarshal([]byte(out), &event); err != nil || code != command.ExitUnknown || event.Event != "uncertain" || event.ID != nil || len(event.To) != 1 {
		t.Errorf("exit status %d: %s", code, out)
	}
}

// A copy of an outbox says so, delivers nothing, and can be adopted.
func TestQueueAdopt(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	if code, _, errs := k.yan("send", "--queue", "-A", "qq", "-t", "a@example.org", "-s", "x", "-b", "y"); code != 0 {
		t.Fatal(errs)
	}
	code, out, _ := k.yan("queue", "adopt")
	if code != command.ExitOK || !strings.Contains(out, "not a copy") {
		t.Errorf("exit status %d: %s", code, out)
	}
	model := k.store.(*outboxtest.Model)
	k.store = model.Copy()
	for _, args := range [][]string{{"send", "--queue", "-A", "qq", "-t", "b@example.org", "-s", "x", "-b", "y"}, {"queue"}} {
		_, out, errs := k.yan(args...)
		clitest.Wants(t, args[0], out+errs, "is a copy of another one", "yan queue adopt")
		if strings.Contains(out+errs, "does now") {
			t.Errorf("%q promises a delivery: %s%s", args, out, errs)
		}
	}
	for _, moved := range []bool{false, true} {
		k.store = model.Copy()
		code, out, errs := k.yan("queue", "run")
		if code != command.ExitConfig {
			t.Errorf("run: exit status %d: %s%s", code, out, errs)
		}
		clitest.Wants(t, "run", errs, "is a copy", "yan queue adopt")
		_, out, errs = k.yan("queue")
		clitest.Wants(t, "list", out+errs, "is a copy of another one")
		if _, out, _ = k.yan("queue", "stats", "--json"); !strings.Contains(out, `"copied":true`) {
			t.Error(out)
		}
		args, want := []string{"queue", "adopt", "--json"}, `{"adopted":true,"in_doubt":1}`
		if moved {
			args, want = append(args, "--moved"), `{"adopted":true,"in_doubt":0}`
		}
		if code, out, errs = k.yan(args...); code != command.ExitOK || strings.TrimSpace(out) != want {
			t.Errorf("adopt: exit status %d: %s%s", code, out, errs)
		}
	}
}

// An outbox whose newest entry is ahead of the clock says so.
func TestQueueSaysThatTheClockWasWrong(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	k.clock.Step(48 * time.Hour)
	if code, _, errs := k.yan("send", "--queue", "-A", "qq", "-t", "a@example.org", "-s", "x", "-b", "y"); code != 0 {
		t.Fatal(errs)
	}
	k.clock.Step(-48 * time.Hour)
	for _, args := range [][]string{{"queue"}, {"queue", "stats"}} {
		_, out, errs := k.yan(args...)
		clitest.Wants(t, strings.Join(args, " "), out+errs, "2 days ahead of the clock")
		if strings.Contains(out, "scheduled") {
			t.Errorf("it waits for its time: %s", out)
		}
	}
	if _, out, _ := k.yan("queue", "stats", "--json"); !strings.Contains(out, `"ahead_seconds":172800`) {
		t.Error(out)
	}
}

// A mistyped path is not an empty outbox; the user's default outbox may not exist yet.
func TestAnOutboxThatIsNotThere(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	folder := t.TempDir()
	here, nowhere := filepath.Join(folder, "x.db"), filepath.Join(folder, "none", "x.db")
	for _, line := range [][]string{
		{"queue"}, {"queue", "list"}, {"queue", "show", "1"}, {"queue", "run"}, {"queue", "run", "-q"}, {"queue", "stats"}, {"queue", "stats", "--json"},
		{"queue", "prune"}, {"queue", "adopt"}, {"queue", "hold", "--all"}, {"queue", "resume", "--all"}, {"queue", "export", "1"}, {"queue", "watch", "1"},
	} {
		for where, want := range map[string]string{here: "flag", nowhere: "flag and variable"} {
			w, _, errs := k.world()
			w.OpenOutbox = nil
			if code := Run(t.Context(), append(line, "--outbox", where), w); code != command.ExitNoInput || !strings.Contains(errs.String(), "not found") {
				t.Errorf("%v, %s: exit status %d: %s", line, want, code, errs)
			}
			k.env["YAN_OUTBOX"] = where
			w, _, errs = k.world()
			w.OpenOutbox = nil
			code := Run(t.Context(), line, w)
			delete(k.env, "YAN_OUTBOX")
			if where == nowhere && (code != command.ExitNoInput || !strings.Contains(errs.String(), "not found")) {
				t.Errorf("%v, variable: exit status %d: %s", line, code, errs)
			}
			if where == here && code == command.ExitNoInput {
				t.Errorf("%v, variable: exit status %d: %s", line, code, errs)
			}
		}
		if _, err := os.Stat(filepath.Dir(nowhere)); err == nil {
			t.Fatalf("%v made it", line)
		}
	}
}

// A database error is printed once, however many addresses were tried.
func TestADatabaseThatIsAwayIsSaidOnce(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	w, _, errs := k.world()
	w.OpenOutbox = nil
	code := Run(t.Context(), []string{"queue", "--outbox", "postgres://nobody@127.0.0.1:1/x"}, w)
	if code != command.ExitTemporary || strings.Count(errs.String(), "connection refused") != 1 || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit status %d: %s", code, errs)
	}
}
