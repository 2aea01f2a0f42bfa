//go:build linux

package durability

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/queue"
)

// findStrace returns the path of the program, or skips the test if there is none.
func findStrace(t *testing.T) string {
	t.Helper()
	var told bytes.Buffer
	command := exec.Command("sh", "strace.sh")
	command.Stderr = &told
	path, err := command.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 3 && os.Getenv("CI") != "true":
		t.Skip(strings.TrimSpace(told.String()))
	case err != nil:
		t.Fatalf("strace: %v\n%s", err, told.String())
	}
	return strings.TrimSpace(string(path))
}

// powered is the traced run of a process.
type powered struct {
	disk   *Disk
	lines  int
	said   []timed // acknowledged letters
	sent   []timed // letters whose end was written to a socket
	syncs  int
	first  int // the line at which the outbox was open
	ledger *faultproxy.Ledger
}

type timed struct {
	line   int
	letter Letter
	id     queue.ID
}

// place is the path of the outbox below the root directory.
var place = filepath.Join("share", "yan", "outbox.db")

var endOf = regexp.MustCompile(`end of ([a-z0-9]+)\r\n`)

// traceChild runs a child under strace. over reports the end of its work.
func traceChild(ctx context.Context, t *testing.T, o orders, over func(line string) bool, idle func(context.Context) error) *powered {
	t.Helper()
	program := findStrace(t)
	base := t.TempDir()
	root, err := filepath.EvalSymlinks(base)
	if err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(root, "trace")
	root = filepath.Join(root, "disk")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Where = filepath.Join(root, place)
	c, err := startChild(o, append([]string{program}, append(StraceFlags(), output)...)...)
	if err != nil {
		t.Fatal(err)
	}
	done := false
	for line := range c.lines {
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		if !done && over(line) {
			done = true
			if err := idle(ctx); err != nil {
				t.Error(err)
			}
			_ = c.stdin.Close() // which ends it
		}
	}
	<-c.ended
	if !done {
		t.Fatal("the child ended too soon")
	}
	file, err := os.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	calls, err := ParseTrace(file, root)
	if err != nil {
		t.Fatal(err)
	}
	return readTrace(t, root, calls)
}

// readTrace extracts the acknowledgements and the sent letters with their lines.
func readTrace(t *testing.T, root string, calls []Call) *powered {
	t.Helper()
	p := &powered{disk: NewDisk(root, calls), ledger: faultproxy.NewLedger(IsWholeLetter)}
	p.lines = p.disk.Lines()
	for _, c := range calls {
		switch {
		case c.Name == "write" && c.FD == 1:
			for line := range strings.Lines(string(c.Data)) {
				words := strings.Fields(line)
				if words[0] == "kept" {
					var id queue.ID
					if _, err := fmt.Sscan(words[2], &id); err != nil {
						t.Fatal(err)
					}
					p.said = append(p.said, timed{c.Begin, Letter(words[1]), id})
				}
				if words[0] == "open" {
					p.first = c.End
				}
			}
		case strings.HasPrefix(c.Name, "write") && !strings.HasPrefix(c.Path, root+"/"):
			for _, found := range endOf.FindAllSubmatch(c.Data, -1) {
				p.sent = append(p.sent, timed{line: c.Begin, letter: Letter(found[1])})
			}
		case strings.HasSuffix(c.Name, "sync") && strings.HasPrefix(c.Path, root):
			p.syncs++
		}
	}
	return p
}

// losses tries cuts at random places and counts those with contradictions.
func (p *powered) losses(ctx context.Context, t *testing.T, cuts int) (states, lost int, wrong []string) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(cuts), 1))
	for n := range cuts {
		cut := Cut{Line: 1 + random.IntN(p.lines), Way: Ways()[n%len(Ways())], Sector: []int{512, 4096}[n/len(Ways())%2], Random: random}
		folder, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.disk.Leave(folder, cut, "-shm"); err != nil {
			t.Fatal(err)
		}
		bad, err := p.check(ctx, folder, cut.Line)
		if err != nil {
			bad = append(bad, err.Error())
		}
		states++
		if len(bad) > 0 {
			lost++
			wrong = append(wrong, fmt.Sprintf("cut at line %d of %d, %s, sectors of %d: %s", cut.Line, p.lines, cut.Way, cut.Sector, FirstFew(bad)))
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
	return states, lost, wrong
}

// check opens the outbox left by a cut: all acknowledged letters must be there, and no sent letter
// may be due again.
func (p *powered) check(ctx context.Context, folder string, line int) (wrong []string, err error) {
	store, err := openPlace(ctx, filepath.Join(folder, place), nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	kept := map[Letter]queue.ID{}
	for _, s := range p.said {
		if s.line < line {
			kept[s.letter] = s.id
		}
	}
	states := map[Letter]queue.State{}
	filter := queue.Filter{Oldest: true, Limit: 1000}
	for more := true; more; {
		page, err := store.List(ctx, filter)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			letter := LetterOf(e.MessageID)
			states[letter] = e.Recipients[0].State
			filter.Before = e.ID
			if id, told := kept[letter]; told && id != e.ID {
				wrong = append(wrong, fmt.Sprintf("%s was message %d, and is %d", letter, id, e.ID))
			}
			x := &examiner{store: store}
			if err := x.body(ctx, letter, e); err != nil {
				return nil, err
			}
			wrong = append(wrong, x.wrong...)
		}
		more = page.More
	}
	for letter := range kept {
		if _, there := states[letter]; !there {
			wrong = append(wrong, fmt.Sprintf("%s was acknowledged, and is not there", letter))
		}
	}
	for _, s := range p.sent {
		switch state := states[s.letter]; {
		case s.line >= line || state == queue.Sending || state == queue.InDoubt || state == queue.HandedOver:
		default:
			wrong = append(wrong, fmt.Sprintf("%s was sent, and would be sent again: it is %q", s.letter, state))
		}
	}
	return wrong, nil
}

func cuts() int {
	if *thorough {
		return 600
	}
	return 60
}

// TestPowerCut checks that the disk of a process that enqueues has all acknowledged letters after a
// power cut at any moment.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	o := orders{Role: "enqueue", Series: "p", Letters: 40, Callers: 3, Rounds: 2}
	if *thorough {
		o.Letters = 700 // so that the log is restarted
	}
	began := time.Now()
	p := traceChild(ctx, t, o, func(line string) bool { return line == "done" }, func(context.Context) error { return nil })
	traced := time.Since(began)
	states, lost, wrong := p.losses(ctx, t, cuts())
	t.Logf("%d letters acknowledged, %d syncs, traced in %v; %d of %d states after a power cut are wrong, in %v",
		len(p.said), p.syncs, traced.Round(time.Millisecond), lost, states, time.Since(began).Round(time.Millisecond))
	if lost > 0 {
		t.Error(FirstFew(wrong))
	}
	if len(p.said) != 3*o.Letters || p.syncs < 20 {
		t.Errorf("%d letters were acknowledged, with %d syncs", len(p.said), p.syncs)
	}
	// The control: the same calls on a disk that ignores syncs of the log.
	p.disk.Ignores = func(c Call) bool { return strings.HasSuffix(c.Path, "-wal") }
	_, lost, wrong = p.losses(ctx, t, 40)
	t.Logf("where the log is not synced, %d of 40 states have lost something", lost)
	if lost < 10 {
		t.Errorf("the control has lost in %d of 40 states only: %s", lost, FirstFew(wrong))
	}
}

// TestPowerCutWhileSending checks that a letter that was sent to the server is never due again
// after a power cut.
func TestPowerCutWhileSending(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	letters := 60
	if *thorough {
		letters = 400
	}
	l, err := newServerLine(sandbox.Config{}, faultproxy.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	settled := 0
	began := time.Now()
	p := traceChild(ctx, t, orders{Role: "both", Series: "p", Letters: letters, Callers: 4, Recipients: 1, Octets: 900, Port: l.proxy.Port(), Lease: patience},
		func(line string) bool {
			if line == "event settled" {
				settled++
			}
			return settled == letters
		}, func(context.Context) error { return nil })
	states, lost, wrong := p.losses(ctx, t, cuts())
	t.Logf("%d letters sent, %d syncs; %d of %d states after a power cut are wrong, in %v",
		len(p.sent), p.syncs, lost, states, time.Since(began).Round(time.Millisecond))
	if lost > 0 {
		t.Error(FirstFew(wrong))
	}
	if len(p.sent) < letters {
		t.Errorf("only %d of %d letters were sent according to the trace", len(p.sent), letters)
	}
	p.disk.Ignores = func(c Call) bool { return strings.HasSuffix(c.Path, "-wal") }
	p.said = nil // only resent letters count here
	_, _, wrong = p.losses(ctx, t, 80)
	again := 0
	for _, w := range wrong {
		if strings.Contains(w, "would be sent again") {
			again++
		}
	}
	t.Logf("where the log is not synced, %d of 80 states would send again", again)
	if again < 3 {
		t.Errorf("the control would send again in %d of 80 states only: %s", again, FirstFew(wrong))
	}
}
