//go:build unix

package sendmailcmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/queue"
)

func TestThroughTheSocket(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	defer m.serve()()
	if got := m.call(hello, "-i", "bob@example.com", "root"); got != (result{}) {
		t.Errorf("%+v", got)
	}
	if got := m.call(hello, "-v", "-F", "Me Too", "bob@example.com"); got != (result{out: "kept as 2\n"}) {
		t.Errorf("%+v", got)
	}
	entries := m.entries()
	if len(entries) != 2 || len(m.dropped()) != 0 {
		t.Fatalf("%d messages, in the folder %q", len(entries), m.dropped())
	}
	e := entries[0]
	if fmt.Sprint(e.Recipients[0].Address, e.Recipients[1].Address) != "bob@example.com admin@example.org" || e.From.String() != "ops@example.com" || len(e.Tags) != 1 ||
		e.Tags[0] != "user:"+peeruser.Of(os.Geteuid()).Name {
		t.Errorf("%+v", e)
	}
	if text := m.text(entries[1].ID); !strings.Contains(text, "From: Me Too <ops@example.com>\r\n") || strings.Contains(text, "Yan-Key") {
		t.Error(text)
	}
}

// What the daemon refuses is told with its exit status, on one line, and nothing is kept: neither in the
// outbox, nor in the drop folder, nor for other recipients.
func TestRefusedByTheDaemon(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	defer m.serve()()
	for _, c := range []struct {
		argv, wants []string
		stdin       string
		code        int
	}{
		{argv: []string{"nobody"}, code: 67, wants: []string{"the recipient nobody was not accepted", `nobody = "you@example.com"`}},
		{argv: []string{"bob@example.com", "nobody", "carol@example.com"}, code: 67, wants: []string{"nobody"}},
		{argv: []string{"bob@example.com"}, stdin: "Subject: x\n\n" + strings.Repeat("0123456789abcde\n", 60<<20/16), code: 65, wants: []string{"can't be kept"}},
	} {
		stdin := c.stdin
		if stdin == "" {
			stdin = hello
		}
		got := m.call(stdin, c.argv...)
		if got.code != c.code || got.out != "" || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: %+v, want %d", c.argv, got, c.code)
		}
		for _, want := range c.wants {
			if !strings.Contains(got.err, want) {
				t.Errorf("%q: %q lacks %q", c.argv, got.err, want)
			}
		}
	}
	if len(m.entries()) != 0 || len(m.dropped()) != 0 {
		t.Errorf("%d messages, in the folder %q", len(m.entries()), m.dropped())
	}
}

// While the daemon is down the message waits in the folder, and becomes what it would have been.
func TestThroughTheFolder(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if got := m.call(hello, "-N", "failure,delay", "-R", "hdrs", "-V", "e1", "-f", "me@example.com", "bob@example.com", "root"); got != (result{}) {
		t.Errorf("%+v", got)
	}
	if got := m.call(hello, "-v", "-f", "<>", "bob@example.com"); got != (result{out: "kept in the drop folder until 'yan serve' runs\n"}) {
		t.Errorf("%+v", got)
	}
	if got := m.call(hello, "nobody"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if found := m.takeIn(); found.Accepted != 2 || found.Refused != 1 {
		t.Errorf("%+v", found)
	}
	entries := m.entries()
	if len(entries) != 2 {
		t.Fatalf("%d messages", len(entries))
	}
	if e := entries[0]; e.From.String() != "me@example.com" || fmt.Sprint(e.Recipients[0].Address, e.Recipients[1].Address) != "bob@example.com admin@example.org" {
		t.Errorf("%+v", e)
	}
	if e := entries[1]; !e.From.IsZero() {
		t.Errorf("%+v", e)
	}
	if text := m.text(entries[0].ID); strings.Contains(text, "Yan-Key") || !strings.Contains(text, "\r\nhello\r\n") {
		t.Error(text)
	}
	if left := m.dropped(); len(left) != 1 || !strings.HasSuffix(left[0], ".refused") {
		t.Errorf("left: %q", left)
	}
}

// A file that the daemon could not remove after the commit gives no second message.
func TestFileIsTakenInOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, stdin := range []string{hello, "Yan-Key: mine\n" + hello, "Yan-Key:\n" + hello} {
		if got := m.call(stdin, "bob@example.com"); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	saved := map[string][]byte{}
	for _, name := range m.dropped() {
		b, err := os.ReadFile(filepath.Join(m.drop, name))
		if err != nil {
			t.Fatal(err)
		}
		saved[name] = b
		if !bytes.Contains(b, []byte(`"key":"`)) && !bytes.Contains(b, []byte("Yan-Key: mine")) {
			t.Errorf("a message without a key: %q", b)
		}
	}
	for round := range 3 {
		if found := m.takeIn(); found.Accepted != 3 || len(m.entries()) != 3 {
			t.Errorf("round %d: %+v, %d messages", round, found, len(m.entries()))
		}
		for name, b := range saved {
			if err := os.WriteFile(filepath.Join(m.drop, name), b, 0o640); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// brokenDaemon serves one connection at the socket with a function.
func (m *machine) brokenDaemon(serve func(net.Conn)) {
	m.t.Helper()
	l, err := net.Listen("unix", m.socket)
	if err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan struct{})
	m.t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		defer l.Close()
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}()
}

// A daemon that stops, or dies, loses no message, and no message is kept twice, though its answer was
// lost after the commit.
func TestDaemonThatDies(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(m *machine, conn net.Conn){
		"at once":  func(*machine, net.Conn) {},
		"stopping": func(_ *machine, conn net.Conn) { _, _ = io.WriteString(conn, "421 4.3.2 stopping\r\n") },
		"after EHLO": func(_ *machine, conn net.Conn) {
			_, _ = io.WriteString(conn, "220 x\r\n")
			_, _ = bufio.NewReader(conn).ReadString('\n')
		},
		"after the commit": func(m *machine, conn net.Conn) {
			// The real server gets the whole conversation; its last reply is lost.
			theirs, ours := net.Pipe()
			s := smtpserver.New(smtpserver.Options{Admission: m.desk, Anonymous: func(net.Conn) (admission.Peer, error) {
				u := peeruser.Of(os.Geteuid())
				return admission.Peer{User: u.Name, UID: u.UID}, nil
			}})
			done := make(chan struct{})
			go func() { s.ServeConn(context.Background(), theirs); close(done) }()
			go func() { _, _ = io.Copy(ours, conn); _ = ours.Close() }()
			in := bufio.NewReader(ours)
			for {
				line, err := in.ReadString('\n')
				if err != nil || strings.Contains(line, "kept as") {
					break
				}
				_, _ = io.WriteString(conn, line)
			}
			_ = conn.Close()
			_ = ours.Close()
			<-done
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.brokenDaemon(func(conn net.Conn) { serve(m, conn) })
			if got := m.call(hello, "bob@example.com"); got != (result{}) {
				t.Errorf("%+v", got)
			}
			if n := len(m.entries()); (n == 1) != (name == "after the commit") {
				t.Errorf("%d messages before the folder is read", n)
			}
			if found := m.takeIn(); found.Accepted != 1 || len(m.entries()) != 1 {
				t.Errorf("%+v, %d messages", found, len(m.entries()))
			}
		})
	}
}

// A temporary trouble of the daemon's outbox is exit status 75, and nothing goes into the folder: the
// caller knows.
func TestDaemonThatCannotKeep(t *testing.T) {
	t.Parallel()
	for reply, code := range map[string]int{"452 4.3.1 the disk is full; free space (rule: space)": 75, "554 5.7.1 not yours; use yours (rule: sender)": 69, "554 5.6.0 no; no (rule: content)": 65} {
		m := newMachine(t)
		m.brokenDaemon(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "220 x\r\n")
			in := bufio.NewReader(conn)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				answer := "250 ok\r\n"
				switch strings.ToUpper(strings.TrimSpace(line)) {
				case "DATA":
					answer = "354 go\r\n"
				case ".":
					answer = reply + "\r\n"
				case "HELLO", "": // text
					continue
				}
				if strings.Contains(line, ": ") && !strings.HasPrefix(line, "MAIL") {
					continue
				}
				if _, err := io.WriteString(conn, answer); err != nil {
					return
				}
			}
		})
		if got := m.call(hello, "bob@example.com"); got.code != code || len(m.dropped()) != 0 || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%s: %+v, %q", reply, got, m.dropped())
		}
	}
}

// Without a daemon, a folder and an account, the user learns what to do.
func TestNoWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	got := w.call(hello, "bob@example.com")
	if got.code != 78 || !strings.Contains(got.err, "yan login") {
		t.Errorf("%+v", got)
	}
	w.lang = i18n.Chinese
	if got := w.call(hello, "bob@example.com"); got.code != 78 || !strings.Contains(got.err, "没有账号") || strings.Count(got.err, "\n") != 1 {
		t.Errorf("%+v", got)
	}
	m := newMachine(t)
	stop := m.serve()
	stop()
	if err := errors.Join(os.Remove(m.drop), os.WriteFile(m.socket, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := m.call(hello, "bob@example.com"); got.code != 75 {
		t.Errorf("%+v", got)
	}
}

// TestSessionWithoutAWay: the client gets a greeting that refuses, in ASCII.
func TestSessionWithoutAWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	if got := w.call("QUIT\r\n", "-bs"); got.code != 78 || !strings.HasPrefix(got.out, "554 5.3.0 no 'yan serve' takes mail on this machine") || !strings.HasSuffix(got.out, "\r\n") {
		t.Errorf("%+v", got)
	}
	w.lang = i18n.Chinese
	if got := w.call("QUIT\r\n", "-bs"); got.out != "554 5.3.0 no mail is taken here; standard error has the reason\r\n" {
		t.Errorf("%+v", got)
	}
	m := newMachine(t)
	if err := errors.Join(os.Remove(m.drop), os.WriteFile(m.socket, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := m.call("QUIT\r\n", "-bs"); got.code != 75 || !strings.HasPrefix(got.out, "421 4.3.0 ") {
		t.Errorf("%+v", got)
	}
}

func TestSessionOverTheWays(t *testing.T) {
	t.Parallel()
	dialogue := "EHLO x\r\nMAIL FROM:<user>\r\nRCPT TO:<root>\r\nDATA\r\nSubject: x\r\n\r\n..x\r\n.\r\nQUIT\r\n"
	m := newMachine(t)
	if got := m.call(dialogue, "-bs"); got.code != 0 || !strings.Contains(got.out, "\r\n221 ") || len(m.dropped()) != 1 {
		t.Errorf("%+v, %q", got, m.dropped())
	}
	keyed := strings.Replace(dialogue, "DATA\r\n", "DATA\r\nYan-Key: mine\r\n", 1)
	if got := m.call(keyed, "-bs"); got.code != 0 || len(m.dropped()) != 2 {
		t.Errorf("%+v", got)
	}
	if found := m.takeIn(); found.Accepted != 2 || !slices.ContainsFunc(m.entries(), func(e queue.Entry) bool { return e.Key == peer().Tag()+"/mine" }) {
		t.Errorf("%+v, %+v", found, m.entries())
	}
	stop := m.serve()
	if got := m.call(dialogue, "-bs"); got.code != 0 || !strings.Contains(got.out, "250 2.0.0 kept as 3\r\n") || !strings.HasSuffix(got.out, "bye\r\n") {
		t.Errorf("%+v", got)
	}
	stop()
	for _, e := range m.entries() {
		if e.Recipients[0].Address.String() != "admin@example.org" || !strings.HasSuffix(m.text(e.ID), "\r\n\r\n.x\r\n") {
			t.Errorf("%+v\n%s", e, m.text(e.ID))
		}
	}
	if len(m.entries()) != 3 {
		t.Errorf("%d messages", len(m.entries()))
	}
}

func TestQuestionsToTheDaemon(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, mode := range []string{"-bp", "-bv"} { // "is empty" could be wrong, and only the daemon has the rules
		if got := m.call("", mode, "--", "root"); got.code != 69 || got.out != "" || !strings.Contains(got.err, "'yan serve' does not run on this machine") {
			t.Errorf("%s: %+v", mode, got)
		}
	}
	if got := m.call("", "-q"); got.code != 69 {
		t.Errorf("%+v", got)
	}
	defer m.serve()()
	if got := m.call(hello, "bob@example.com", "root"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	got := m.call("", "-bp")
	if lines := strings.Split(got.out, "\n"); got.code != 0 || len(lines) != 7 || lines[0] != "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------" ||
		!strings.HasPrefix(lines[1], "1 ") || !strings.HasSuffix(lines[1], "  ops@example.com") || lines[2] != strings.Repeat(" ", 41)+"bob@example.com" ||
		lines[3] != strings.Repeat(" ", 41)+"admin@example.org" || lines[5] != "-- 0 Kbytes in 1 Request." {
		t.Errorf("%+v", got)
	}
	if got := m.call("", "-bp", "--json"); got.code != 0 || !strings.HasPrefix(got.out, `{"id":1,`) {
		t.Errorf("%+v", got)
	}
	if got := m.call("", "-q30m"); got != (result{}) || m.woken.Load() != 1 {
		t.Errorf("%+v, woken %d times", got, m.woken.Load())
	}
	if got := m.call("", "-bv", "root", "x@example.org", "nobody"); got.code != 67 || !strings.Contains(got.out, "root goes to admin@example.org through the account work\n") ||
		!strings.Contains(got.out, "x@example.org goes to x@example.org") || !strings.Contains(got.out, "nobody is not accepted") {
		t.Errorf("%+v", got)
	}
}

// Without a daemon, a refusal is in the language of the user, and an error about -C names the file.
func TestQuestionsWithoutADaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, localConfig)
	w.lang = i18n.Chinese
	if got := w.call("", "-bv", "nobody-here"); got.code != 67 || !strings.Contains(got.out, "nobody-here 未被接受：“nobody-here”是本地名称，没有对应的地址。请在") {
		t.Errorf("%+v", got)
	}
	w.lang = i18n.English
	if got := w.call(hello, "-C", "/nowhere/config.toml", "bob@example.com"); got.code != 78 || got.err != "yan: -C: there is no file /nowhere/config.toml\n" {
		t.Errorf("%+v", got)
	}
}

// A message to more recipients than the account may have is refused, in every way; more than SMTP knows is
// a wrong command line.
func TestTooManyRecipients(t *testing.T) {
	t.Parallel()
	argv := []string{"-i"}
	for i := range 100_001 {
		argv = append(argv, fmt.Sprintf("u%d@example.com", i))
	}
	m, w := newMachine(t), newWorld(t, localConfig)
	defer m.serve()()
	for _, n := range []int{1_001, 100_000} {
		for name, got := range map[string]result{"socket": m.call(hello, argv[:1+n]...), "own": w.call(hello, argv[:1+n]...)} {
			if got.code != 69 || strings.Count(got.err, "\n") != 1 {
				t.Errorf("%s, %d: %+v", name, n, got)
			}
		}
	}
	if got := w.call(hello, argv...); got.code != 64 && got.code != 69 {
		t.Errorf("%+v", got)
	}
	if len(m.entries())+len(w.entries())+len(m.dropped()) != 0 {
		t.Error("something was kept")
	}
	if got := w.call(hello, argv[:1001]...); got.code != 0 || w.entries()[0].Total != 1000 {
		t.Errorf("%+v", got)
	}
}
