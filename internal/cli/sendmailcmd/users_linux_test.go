package sendmailcmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/queue"
)

// UIDs that no package of a distribution uses.
const (
	daemonUID = 65434
	aliceUID  = 65435
	bobUID    = 65436
)

// usersMachine is a machine whose daemon is an ordinary user, with two other users.
type usersMachine struct {
	*machine
	program string
}

func newUsersMachine(t *testing.T) *usersMachine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("starting processes of other users needs root")
	}
	m := &usersMachine{machine: newMachine(t)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	m.program = filepath.Join(m.dir, "child")
	if err := errors.Join(os.WriteFile(m.program, octets, 0o755), os.Chmod(m.dir, 0o755), os.Chown(m.dir, daemonUID, daemonUID), os.Chown(m.drop, daemonUID, daemonUID), unix.Chmod(m.drop, 0o3733)); err != nil {
		t.Fatal(err)
	}
	return m
}

// as runs sendmail as a user.
func (m *usersMachine) as(uid uint32, stdin string, argv ...string) (said string) {
	m.t.Helper()
	cmd, out, err := childTask{Role: "sendmail", Dir: m.dir, Argv: argv}.start(strings.NewReader(stdin), &syscall.Credential{Uid: uid, Gid: uid}, m.program)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return out.String()
}

// daemon starts the daemon as its user, until stop is called.
func (m *usersMachine) daemon() (stop func()) {
	m.t.Helper()
	in, keep, err := os.Pipe()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd, out, err := childTask{Role: "daemon", Dir: m.dir}.start(in, &syscall.Credential{Uid: daemonUID, Gid: daemonUID}, m.program)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = in.Close()
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		_ = keep.Close()
		if said := strings.TrimSpace(strings.Replace(out.String(), "ready", "", 1)); said != "" {
			m.t.Errorf("the daemon said %s", said)
		}
	}
}

// The daemon knows each user at the socket and in the folder, though it is an ordinary user itself. The users
// can't find, read, change or remove each other's messages, and not the outbox.
func TestOtherUsers(t *testing.T) {
	t.Parallel()
	m := newUsersMachine(t)
	if said := m.as(aliceUID, "Subject: alice, folder\n\nsecret\n", "-i", "a@example.com"); said != "" {
		t.Fatal(said)
	}
	dropped := m.dropped()
	if len(dropped) != 1 {
		t.Fatalf("in the folder: %q", dropped)
	}
	stop := m.daemon()
	for _, c := range []struct {
		uid     uint32
		subject string
	}{{aliceUID, "alice, socket"}, {bobUID, "bob, socket"}} {
		// Until the daemon is ready the folder takes the message.
		if said := m.as(c.uid, "Subject: "+c.subject+"\n\nx\n", "-i", "a@example.com"); said != "" {
			t.Fatal(said)
		}
	}
	stop()
	if info, err := os.Stat(filepath.Join(m.dir, "outbox.db")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the outbox has mode %v, %v", info.Mode(), err)
	}
	stop = m.daemon() // takes what is left in the folder
	m.waitForEmptyFolder()
	stop()
	store, err := stores.Open(t.Context(), filepath.Join(m.dir, "outbox.db"), outbox.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() // read
	page, err := store.List(t.Context(), queue.Filter{Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		name, _, _ := strings.Cut(e.Subject, ",")
		if want := fmt.Sprintf("user:#%d", map[string]int{"alice": aliceUID, "bob": bobUID}[name]); len(e.Tags) != 1 || e.Tags[0] != want {
			t.Errorf("%s has the tags %q, want %s", e.Subject, e.Tags, want)
		}
	}
	if len(page.Entries) != 3 {
		t.Errorf("%d messages", len(page.Entries))
	}
}

// waitForEmptyFolder waits until the daemon has taken all messages of the folder.
func (m *usersMachine) waitForEmptyFolder() {
	m.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		m.t.Fatal(err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	defer events.Close()
	if _, err := unix.InotifyAddWatch(fd, m.drop, unix.IN_DELETE); err != nil {
		m.t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for len(m.dropped()) > 0 {
		if _, err := events.Read(buffer); err != nil && !errors.Is(err, io.EOF) {
			m.t.Fatal(err)
		}
	}
}
