package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// TestMain runs as a second process if the environment says so.
func TestMain(m *testing.M) {
	if path := os.Getenv("YAN_TEST_SQLITE_PROCESS"); path != "" {
		if err := runProcess(path, os.Getenv("YAN_TEST_SQLITE_OWNER")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	processes  = 3
	eachWrites = 150
)

// runProcess enqueues messages and settles all that it finds as handed over, its own and those of
// other processes, until none is left. It prints a line for each.
func runProcess(path, owner string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, outbox.Options{MinFree: -1, InlineBytes: 1000})
	if err != nil {
		return err
	}
	if err := s.Join(ctx, queue.Worker{Owner: owner, PID: os.Getpid()}, time.Hour); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- enqueueAll(ctx, s, owner) }()
	produced := false
	for {
		if !produced {
			select {
			case err := <-failed:
				if produced = true; err != nil {
					return err
				}
			default:
			}
		}
		wake := s.Wake()
		n, err := settleAll(ctx, s, owner)
		if err != nil {
			return err
		}
		stats, err := s.Stats(ctx)
		if err != nil {
			return err
		}
		if len(stats.Accounts) == 1 && stats.Accounts[0].Count[queue.HandedOver] == processes*eachWrites && produced {
			return s.Close()
		}
		if n == 0 {
			select {
			case <-wake:
			case <-time.After(100 * time.Millisecond): // other processes settle without a wake
			}
		}
	}
}

func enqueueAll(ctx context.Context, s outbox.Store, owner string) error {
	for i := range eachWrites {
		m, err := letterOf(owner, i)
		if err != nil {
			return err
		}
		if _, err := s.Enqueue(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func letterOf(owner string, i int) (outbox.NewMessage, error) {
	m := outbox.NewMessage{Account: "work", MessageID: fmt.Sprintf("<%s-%d>", owner, i), Content: textContent("Hello\r\n")}
	if i%10 == 0 { // some in the spool, the same body from all processes
		m.Content = textContent(strings.Repeat("Hello\r\n", 200))
	}
	return m, envelopeOf(&m)
}

func settleAll(ctx context.Context, s outbox.Store, owner string) (int, error) {
	batch, err := s.Claim(ctx, outbox.Claim{Owner: owner, Account: "work", Recipients: 7, Bytes: 1 << 20})
	if err != nil {
		return 0, err
	}
	for _, item := range batch.Items {
		if item.Body == nil {
			body, err := s.Body(ctx, item.ID)
			if err != nil {
				return 0, err
			}
			_ = body.Close()
		}
		l := outbox.Lease{ID: item.ID, N: 0, Token: item.Recipients[0].Token}
		if lost, err := s.Mark(ctx, owner, []outbox.Lease{l}); err != nil || len(lost) > 0 {
			return 0, fmt.Errorf("lost %v: %w", lost, err)
		}
		fmt.Println(item.ID, item.MessageID, l.Token)
		if stale, err := s.Settle(ctx, []outbox.Settlement{{Lease: l, State: queue.HandedOver}}); err != nil || len(stale) > 0 {
			return 0, fmt.Errorf("stale %v: %w", stale, err)
		}
	}
	return len(batch.Items), nil
}

// Several processes enqueue and deliver at once: each message is delivered once.
func TestProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "outbox.db")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	for p := range processes {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), "YAN_TEST_SQLITE_PROCESS="+path, fmt.Sprintf("YAN_TEST_SQLITE_OWNER=p%d", p))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			for said := bufio.NewScanner(out); said.Scan(); {
				lines <- said.Text()
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", p, err)
			}
			lines <- ""
		}()
	}
	times := map[string]int{}
	for ended := 0; ended < processes; {
		line := <-lines
		if line == "" {
			ended++
			continue
		}
		if times[line]++; !strings.HasSuffix(line, " 1") {
			t.Errorf("leased more than once: %s", line)
		}
	}
	if len(times) != processes*eachWrites {
		t.Errorf("%d messages were handed over, want %d", len(times), processes*eachWrites)
	}
	for line, n := range times {
		if n != 1 {
			t.Errorf("%s: %d times", line, n)
		}
	}
	checkTally(t, openStore(t, path, outbox.Options{}, Harness{}))
}

// A waiting process is woken by messages of another process.
func TestWakeOfOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	h := Harness{poll: time.Millisecond}
	waiting, other := openStore(t, path, outbox.Options{}, h), openStore(t, path, outbox.Options{}, h)
	for range 5 {
		wake := waiting.Wake()
		mustEnqueue(t, other, testMessage(t, "x"))
		select {
		case <-wake:
		case <-time.After(time.Minute):
			t.Fatal("no waiter was woken")
		}
	}
}

// IDs and cursors are not used twice, even after the newest messages are pruned.
func TestNumbersAreNotUsedTwice(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	first := mustEnqueue(t, s, testMessage(t, "x"))
	_, cursor, err := s.Events(ctx, queue.CursorNow, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(ctx, outbox.Change{Verb: queue.Cancel}); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Prune(ctx, outbox.Retention{}); err != nil || p.Messages != 1 {
		t.Fatal(p, err)
	}
	second := mustEnqueue(t, s, testMessage(t, "y"))
	if second <= first {
		t.Errorf("%d after %d", second, first)
	}
	events, _, err := s.Events(ctx, cursor, 10)
	if err != nil || len(events) != 1 || events[0].ID != second {
		t.Errorf("%+v, %v", events, err)
	}
}
