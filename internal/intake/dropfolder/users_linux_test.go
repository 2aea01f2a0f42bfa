package dropfolder_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/intake/dropfolder"
)

// UIDs that no package of a distribution uses.
const (
	daemonUID = 65431
	aliceUID  = 65432
	bobUID    = 65433
)

// childTask is what a process of another user does.
type childTask struct {
	Do   string // drop, attack, take
	Dir  string
	File string // a message of another user
	From string
}

const childVariable = "YAN_DROP_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var task childTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	task.run()
}

func (c childTask) run() {
	switch c.Do {
	case "drop":
		syscall.Umask(0o077)
		if err := dropfolder.Write(c.Dir, dropfolder.Envelope{From: c.From, To: []string{"a@example.com"}}, text("of "+c.From)); err != nil {
			fmt.Println(err)
		}
	case "attack":
		c.attack()
	case "take":
		r, err := dropfolder.Open(dropfolder.Options{Dir: c.Dir, Accept: func(_ context.Context, m dropfolder.Message) error {
			body, err := io.ReadAll(m.Body)
			fmt.Printf("%d %s %s\n", m.Owner.UID, m.From, body)
			return err
		}})
		if err == nil {
			_, err = r.Scan(context.Background())
		}
		if err != nil {
			fmt.Println(err)
		}
	}
}

// attack tries what a user must not be able to do, and prints what worked.
func (c childTask) attack() {
	own := filepath.Join(c.Dir, "msg-of-mine")
	attempts := map[string]func() error{
		"list":     func() error { _, err := os.ReadDir(c.Dir); return err },
		"read":     func() error { _, err := os.ReadFile(c.File); return err },
		"append":   func() error { _, err := os.OpenFile(c.File, os.O_WRONLY|os.O_APPEND, 0); return err },
		"truncate": func() error { return os.Truncate(c.File, 0) },
		"replace": func() error {
			if err := os.WriteFile(own, nil, 0o600); err != nil {
				return err
			}
			defer os.Remove(own)
			return os.Rename(own, c.File)
		},
		"rename":       func() error { return os.Rename(c.File, c.File+"x") },
		"remove":       func() error { return os.Remove(c.File) },
		"chmod":        func() error { return os.Chmod(c.File, 0o666) },
		"chmod folder": func() error { return os.Chmod(c.Dir, 0o777) },
		"chown":        func() error { return os.Chown(c.File, os.Geteuid(), -1) },
	}
	for name, try := range attempts {
		err := try()
		if err == nil {
			fmt.Println("worked: " + name)
		} else if !errors.Is(err, fs.ErrPermission) {
			fmt.Printf("%s: %v\n", name, err)
		}
	}
}

// users runs this program as other users of the machine.
type users struct {
	t       *testing.T
	program string
	dir     string
}

func newUsers(t *testing.T) users {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("starting processes of other users needs root")
	}
	root := t.TempDir()
	for dir := root; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	u := users{t: t, program: filepath.Join(root, "child"), dir: filepath.Join(root, "drop")}
	if err := os.WriteFile(u.program, octets, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(u.dir, 0o700), os.Chown(u.dir, daemonUID, daemonUID), unix.Chmod(u.dir, 0o3733)); err != nil {
		t.Fatal(err)
	}
	return u
}

// run returns what a process of a user says.
func (u users) run(uid uint32, task childTask) string {
	u.t.Helper()
	task.Dir = u.dir
	order, err := json.Marshal(task)
	if err != nil {
		u.t.Fatal(err)
	}
	cmd := exec.Command(u.program, "-test.run=^$")
	cmd.Dir = "/"
	cmd.Env = []string{childVariable + "=" + string(order)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		u.t.Fatalf("as user %d: %v: %s", uid, err, out)
	}
	return strings.TrimSuffix(string(out), "PASS\n")
}

// A caller without rights can't list, read, change or remove the message of another, and the daemon,
// which is an ordinary user too, takes in those of both with their owners.
func TestUsersCannotTouchEachOthersMessages(t *testing.T) {
	t.Parallel()
	u := newUsers(t)
	if said := u.run(aliceUID, childTask{Do: "drop", From: "alice"}); said != "" {
		t.Fatal(said)
	}
	message := filepath.Join(u.dir, names(t, u.dir)[0])
	before, err := os.ReadFile(message)
	if err != nil {
		t.Fatal(err)
	}
	if said := u.run(bobUID, childTask{Do: "attack", File: message}); said != "" {
		t.Errorf("bob could do what he must not:\n%s", said)
	}
	if after, err := os.ReadFile(message); err != nil || string(after) != string(before) {
		t.Errorf("the message has changed: %q, %v", after, err)
	}
	if said := u.run(bobUID, childTask{Do: "drop", From: "bob"}); said != "" {
		t.Fatal(said)
	}
	want := fmt.Sprintf("%d alice of alice\n%d bob of bob\n", aliceUID, bobUID)
	if said := u.run(daemonUID, childTask{Do: "take"}); said != want {
		t.Errorf("the daemon got\n%swant\n%s", said, want)
	}
	if left := names(t, u.dir); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	// Alice's file with a second name, and one that was created elsewhere, would be her mail.
	for name, make := range map[string]func(file string) error{
		"hard link": func(file string) error { return os.Link(file, filepath.Join(u.dir, "msg-link")) },
		"renamed":   func(file string) error { return os.Rename(file, filepath.Join(u.dir, "msg-moved")) },
	} {
		file := filepath.Join(filepath.Dir(u.dir), "of-alice")
		if err := os.WriteFile(file, []byte(`{"yan_drop":1,"from":"alice","to":["a@b"],"size":0}`+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chown(file, aliceUID, aliceUID), make(file)); err != nil {
			t.Fatal(err)
		}
		if said := u.run(daemonUID, childTask{Do: "take"}); said != "" {
			t.Errorf("%s: the daemon got %s", name, said)
		}
	}
}
