package sendmailcmd

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/dropfolder"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/queue"
)

var kills = flag.Int("kills", 30, "how many processes to kill")

// childTask is what a process of this test program does.
type childTask struct {
	Role string // daemon; sendmail
	Dir  string
	Argv []string
	// FileSize limits the size of files that the process writes; 0 is no limit.
	FileSize uint64
}

const childVariable = "YAN_SENDMAIL_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var task childTask
	err := json.Unmarshal([]byte(text), &task)
	if err == nil && task.Role == "daemon" {
		err = task.serve()
	} else if err == nil {
		os.Exit(task.sendmail())
	}
	fmt.Println("child:", err)
	os.Exit(99)
}

// sendmail runs the command on a machine whose settings are below Dir.
func (c childTask) sendmail() int {
	if c.FileSize > 0 {
		limit := unix.Rlimit{Cur: c.FileSize, Max: c.FileSize}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			return 98
		}
	}
	s := console.ThisSystem()
	s.Etc = filepath.Join(c.Dir, "etc")
	o := outboxes.New(command.New(console.New(context.Background(), s, i18n.NewWords(i18n.English)), c.Argv), outboxes.Services{})
	cmd := New(o, "")
	return o.Finish(cmd.RunE(cmd, c.Argv))
}

// serve is the daemon's side of the socket and the folder.
func (c childTask) serve() error {
	go func() { // a child without a parent ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(97)
	}()
	f, err := account.Load(filepath.Join(c.Dir, "etc", "yan", "config.toml"))
	if err != nil {
		return err
	}
	store, err := stores.Open(context.Background(), filepath.Join(c.Dir, "outbox.db"), outbox.Options{MinFree: -1})
	if err != nil {
		return err
	}
	policy := accountroute.NewSubmitPolicy(f, accountroute.PolicySources{})
	desk := admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: store})
	r, err := dropfolder.Open(dropfolder.Options{Dir: f.Submit().Drop, Accept: admit(desk), Permanent: isRefused,
		After: func(time.Duration) <-chan time.Time { return time.After(5 * time.Millisecond) }})
	if err != nil {
		return err
	}
	go func() { _ = r.Watch(context.Background()) }()
	if err := os.Remove(f.Submit().Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", f.Submit().Socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Submit().Socket, 0o666); err != nil {
		return err
	}
	fmt.Println("ready")
	return smtpserver.New(smtpserver.Options{Admission: desk, Anonymous: func(c net.Conn) (admission.Peer, error) {
		u, err := peeruser.OfConn(c)
		return admission.Peer{User: u.Name, UID: u.UID}, err
	}}).Serve(context.Background(), l)
}

// start starts a child.
func (c childTask) start(stdin io.Reader, credential *syscall.Credential, program string) (*exec.Cmd, *strings.Builder, error) {
	order, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(program, "-test.run=^$")
	said := new(strings.Builder)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, said, said
	cmd.Dir = "/"
	cmd.Env = []string{childVariable + "=" + string(order), "TMPDIR=" + os.TempDir()}
	if credential != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	}
	return cmd, said, cmd.Start()
}

// battle kills callers and daemons while messages come.
type battle struct {
	*machine
	program string
	next    atomic.Int64
	killed  atomic.Int64
	mu      sync.Mutex
	outcome map[string]string // by subject: kept, failed, killed
}

// TestKill9 kills callers and the daemon at random moments. Every message whose call ended with 0 is in the
// outbox once; one whose caller was killed, at most once; one whose call failed, not at all.
func TestKill9(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &battle{machine: newMachine(t), program: program, outcome: map[string]string{}}
	over := make(chan struct{})
	var daemon, callers sync.WaitGroup
	daemon.Go(func() { b.daemons(over) })
	for range 3 {
		callers.Go(b.callers)
	}
	callers.Wait()
	close(over)
	daemon.Wait()
	b.judge()
}

// daemons runs one daemon after the other, and kills each.
func (b *battle) daemons(over <-chan struct{}) {
	for {
		in, keep, err := os.Pipe()
		if err != nil {
			b.t.Error(err)
			return
		}
		cmd, said, err := childTask{Role: "daemon", Dir: b.dir}.start(in, nil, b.program)
		_ = in.Close()
		if err != nil {
			b.t.Error(err)
			return
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-over:
		case <-time.After(time.Duration(20+rand.IntN(400)) * time.Millisecond):
		case <-ended:
			b.t.Errorf("the daemon has ended: %s", said)
		}
		_ = cmd.Process.Kill()
		<-ended
		_ = keep.Close()
		b.killed.Add(1)
		select {
		case <-over:
			return
		case <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond):
		}
	}
}

// callers hands over messages until enough processes were killed.
func (b *battle) callers() {
	for b.killed.Load() < int64(*kills) {
		subject := fmt.Sprint(b.next.Add(1))
		text := "Subject: " + subject + "\n\n" + strings.Repeat("0123456789\n", rand.IntN(3)*rand.IntN(10_000))
		cmd, said, err := childTask{Role: "sendmail", Dir: b.dir, Argv: []string{"-i", "bob@example.com", "carol@example.org"}}.start(strings.NewReader(text), nil, b.program)
		if err != nil {
			b.t.Error(err)
			return
		}
		killed := false
		var timer *time.Timer
		if rand.IntN(2) == 0 {
			timer = time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
		err = cmd.Wait()
		if timer != nil {
			timer.Stop()
		}
		outcome := "kept"
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			outcome = fmt.Sprintf("failed: %d: %s", exit.ExitCode(), said)
			if exit.ExitCode() < 0 {
				killed, outcome = true, "killed"
			}
		}
		if killed {
			b.killed.Add(1)
		}
		b.mu.Lock()
		b.outcome[subject] = outcome
		b.mu.Unlock()
	}
}

// judge takes in what is left in the folder, and compares the outbox with what callers know.
func (b *battle) judge() {
	b.t.Helper()
	store, err := stores.Open(b.t.Context(), filepath.Join(b.dir, "outbox.db"), outbox.Options{MinFree: -1})
	if err != nil {
		b.t.Fatal(err)
	}
	defer store.Close() // read
	f, err := account.Load(filepath.Join(b.etc, "yan", "config.toml"))
	if err != nil {
		b.t.Fatal(err)
	}
	policy := accountroute.NewSubmitPolicy(f, accountroute.PolicySources{})
	b.desk = admission.New(admission.Options{Policy: func() admission.Policy { return policy }, Store: store})
	found := b.takeIn()
	if found.Refused+found.Deferred+found.Odd > 0 {
		b.t.Errorf("in the folder: %+v", found)
	}
	copies := map[string]int{}
	filter := queue.Filter{Limit: 500}
	for {
		page, err := store.List(b.t.Context(), filter)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, e := range page.Entries {
			copies[e.Subject]++
			filter.Before = e.ID
		}
		if !page.More {
			break
		}
	}
	count := map[string]int{}
	for subject, outcome := range b.outcome {
		kind, _, _ := strings.Cut(outcome, ":")
		count[kind]++
		n := copies[subject]
		if kind == "kept" && n != 1 || kind == "killed" && n > 1 || kind == "failed" {
			b.t.Errorf("message %s: %s, and %d in the outbox", subject, outcome, n)
		}
		if kind == "killed" {
			count["killed and kept"] += n
		}
	}
	b.t.Logf("%d killed; calls: %v; %d messages", b.killed.Load(), count, len(copies))
	if count["kept"] == 0 || *kills >= 100 && (count["killed"] == 0 || count["killed and kept"] == 0) {
		b.t.Error("too few calls ended in each way")
	}
}
