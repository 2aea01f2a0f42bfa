package sendmailcmd

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// child runs sendmail as a process of its own, and returns its exit status and what it said.
func (m *machine) child(task childTask, stdin string) (int, string) {
	m.t.Helper()
	task.Role, task.Dir = "sendmail", m.dir
	program, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd, said, err := task.start(strings.NewReader(stdin), nil, program)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status tells
	return cmd.ProcessState.ExitCode(), said.String()
}

// At a file size limit, as on a full disk, the message is not kept, and nothing of it is left.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, size := range []int{100_000, 1_000_000} { // to the folder; to the spool before
		text := "Subject: x\n\n" + strings.Repeat("0123456789\n", size/11)
		code, said := m.child(childTask{Argv: []string{"-i", "bob@example.com"}, FileSize: 50_000}, text)
		if code != 75 || strings.Count(said, "\n") != 1 || len(m.dropped()) != 0 {
			t.Errorf("%d octets: exit status %d, %q, in the folder %q", size, code, said, m.dropped())
		}
	}
}

// A standard input that is closed, or no file at all, is an empty message.
func TestClosedInput(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	order, err := json.Marshal(childTask{Role: "sendmail", Dir: m.dir, Argv: []string{"-i", "bob@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, redirection := range []string{"<&-", "</dev/null", "<&- >&- 2>&-"} {
		cmd := exec.Command("/bin/sh", "-c", `exec "$0" -test.run='^$' `+redirection, program)
		cmd.Env = []string{childVariable + "=" + string(order)}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v, %q", redirection, err, out)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", `exec "$0" -test.run='^$' </`, program)
	cmd.Env = []string{childVariable + "=" + string(order)}
	if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 74 || strings.Count(string(out), "\n") != 1 {
		t.Errorf("a folder: %v, %q", err, out)
	}
	if found := m.takeIn(); found.Accepted != 3 {
		t.Errorf("%+v", found)
	}
}

// Messages that are hardly messages are kept, and invalid UTF-8 everywhere is no reason to fail.
func TestOddMessages(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "ends in the header": "Subject: x", "ends in a folded field": "Subject: x\n ", "only an empty line": "\n", "only LF and CR": "\n\r\r\n\r",
		"invalid UTF-8": "Subject: \xff\xfe\nX-\xff: y\nTo: \xff <a@example.com>\n\n\xff\xc0\xaf\n", "binary": "\x00\x01\x02\xff\x7f",
		"From line": "From a b\n\nx\n", "no colon": "Subject\n\nx", "only dots": ".\n..\n.\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, localConfig)
			if got := w.call(text, "-i", "bob@example.com"); got != (result{}) {
				t.Errorf("%+v", got)
			}
			entries := w.entries()
			if len(entries) != 1 {
				t.Fatalf("%d messages", len(entries))
			}
			if name == "only dots" && !strings.HasSuffix(w.text(1), "\r\n\r\n.\r\n..\r\n.\r\n") {
				t.Errorf("%q", w.text(1))
			}
		})
	}
	w := newWorld(t, localConfig)
	for _, argv := range [][]string{{"\xff@example.com"}, {"-f\xff", "bob@example.com"}, {"a\x00b"}, {"-N\xff", "b@example.com"}} {
		if got := w.call(hello, argv...); got.code != 64 || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: %+v", argv, got)
		}
	}
	if got := w.call(hello, "-F\xff\xfe", "-V", "\xff", "-B\xff", "bob@example.com"); got.code != 64 {
		t.Errorf("%+v", got)
	}
	if got := w.call(hello, "-F", "\xff\r\nX-Injected: y", "bob@example.com"); got.code != 0 || strings.Contains(w.text(1), "\nX-Injected") {
		t.Errorf("%+v\n%s", got, w.text(1))
	}
}

// On a terminal, a line with a dot ends the message, unless -i is given; in a pipe it never does.
func TestDotOnATerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tty   int
		argv  []string
		wants string
	}{{0, nil, "a\r\n.\r\nb\r\n"}, {80, nil, "a\r\n"}, {80, []string{"-i"}, "a\r\n.\r\nb\r\n"}, {80, []string{"-oi"}, "a\r\n.\r\nb\r\n"}} {
		w := newWorld(t, localConfig)
		w.tty = c.tty
		if got := w.call("Subject: x\n\na\n.\nb\n", append(c.argv, "bob@example.com")...); got.code != 0 {
			t.Fatalf("%+v", got)
		}
		if text := w.text(1); !strings.HasSuffix(text, "\r\n\r\n"+c.wants) {
			t.Errorf("%+v: %q", c, text)
		}
	}
}

// generatedText is a text that is made while it is read.
type generatedText struct{ left int }

func (g *generatedText) Read(p []byte) (int, error) {
	if g.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), g.left)
	for i := range p[:n] {
		p[i] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrs\n"[i%66]
	}
	g.left -= n
	return n, nil
}

// Memory does not grow with the message.
func TestMemory(t *testing.T) {
	m := newMachine(t)
	used := func(size int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m.stdin = &generatedText{size}
		if got := m.call("", "-i", "bob@example.com"); got.code != 0 {
			t.Fatalf("%+v", got)
		}
		runtime.ReadMemStats(&after)
		for _, name := range m.dropped() {
			info, err := os.Stat(filepath.Join(m.drop, name))
			if err != nil || info.Size() < int64(size) {
				t.Errorf("%v, %v", info, err)
			}
			_ = os.Remove(filepath.Join(m.drop, name))
		}
		return after.Sys - before.Sys // what the process has ever had
	}
	small, large := used(1<<20), used(40<<20)
	if large > small+16<<20 {
		t.Errorf("1 MiB takes %d octets of memory, 40 MiB %d", small, large)
	}
}
