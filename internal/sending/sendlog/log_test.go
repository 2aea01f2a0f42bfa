package sendlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openLog(t testing.TB, path string) *Log {
	t.Helper()
	l, err := Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// testEntry returns a message of one letter to recipients, the first copy.
func testEntry(t testing.TB, message byte, to ...string) *LogEntry {
	e := &LogEntry{Hash: Hash{message}, File: "cur/" + string(message) + ":2,S", Number: 3, From: address(t, "me@example.org")}
	for _, a := range to {
		e.To, e.Copies = append(e.To, address(t, a)), append(e.Copies, 1)
	}
	return e
}

func testOutcome(t testing.TB, to string, status smtp.Status, code int) smtp.Outcome {
	o := smtp.Outcome{Recipient: address(t, to), Status: status, Stage: smtp.StageRcpt}
	if code != 0 {
		o.Reply = smtp.Reply{Code: code, Enhanced: smtp.EnhancedCode{Class: code / 100, Subject: 1, Detail: 1}, Lines: []string{"no", "way"}}
	} else if status != smtp.Accepted {
		o.Err = errors.New("broken pipe")
	}
	return o
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.log")
	l := openLog(t, path)
	e := testEntry(t, 'a', "a@example.org", "b@Example.ORG", "雁@例子.中国")
	e.Copies[1] = 2
	if err := l.Attempt(e, testEntry(t, 'b', "a@example.org")); err != nil {
		t.Fatal(err)
	}
	outcomes := []smtp.Outcome{testOutcome(t, "a@example.org", smtp.Accepted, 250), testOutcome(t, "b@Example.ORG", smtp.Refused, 550),
		testOutcome(t, "雁@例子.中国", smtp.NotTried, 0)}
	if err := l.Settle(e, "<1@x>", "Q1", outcomes); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	l = openLog(t, path)
	defer l.Close() // opened for reading only
	for _, test := range []struct {
		key  RecipientKey
		want string
	}{
		{RecipientKey{Hash{'a'}, "a@example.org", 1}, ": accepted at body"},
		{RecipientKey{Hash{'a'}, "b@example.org", 2}, ": refused at rcpt: 550 5.1.1 no way"},
		{RecipientKey{Hash{'a'}, "雁@xn--fsqu00a.xn--fiqs8s", 1}, ": not tried at rcpt: broken pipe"},
		{RecipientKey{Hash{'b'}, "a@example.org", 1}, ": unknown at body: " + ErrNoOutcome.Error()},
	} {
		if o, ok := l.State(test.key); !ok || o.String() != test.want {
			t.Errorf("%v: %q, want %q", test.key.Recipient, o, test.want)
		}
	}
	for _, k := range []RecipientKey{{Hash{'a'}, "b@example.org", 1}, {Hash{'c'}, "a@example.org", 1}, {Hash{'a'}, "A@example.org", 1}} {
		if o, ok := l.State(k); ok {
			t.Errorf("%v: %v", k, o)
		}
	}
}

// An attempt without an outcome is unknown, and stays unknown until the server accepts or refuses a
// later one.
func TestStates(t *testing.T) {
	t.Parallel()
	for steps, want := range map[string]smtp.Status{
		"a": smtp.Unknown, "a+": smtp.Accepted, "a-": smtp.Refused, "a~": smtp.Deferred, "a.": smtp.NotTried, "a?": smtp.Unknown,
		"a~a+": smtp.Accepted, "a~a": smtp.Unknown, "a.a-": smtp.Refused, "a-a~": smtp.Deferred,
		"aa~": smtp.Unknown, "a?a.": smtp.Unknown, "a?a-": smtp.Refused, "a?a+": smtp.Accepted, "aa-a~": smtp.Unknown, "a+a-": smtp.Accepted, "a+a": smtp.Accepted,
	} {
		path := filepath.Join(t.TempDir(), "run.log")
		l := openLog(t, path)
		e := testEntry(t, 'a', "a@example.org")
		for _, step := range steps {
			var err error
			if step == 'a' {
				err = l.Attempt(e)
			} else {
				status := map[rune]smtp.Status{'+': smtp.Accepted, '-': smtp.Refused, '~': smtp.Deferred, '.': smtp.NotTried, '?': smtp.Unknown}[step]
				err = l.Settle(e, "", "", []smtp.Outcome{testOutcome(t, "a@example.org", status, 0)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		closeLog(t, l)
		l = openLog(t, path)
		if o, ok := l.State(RecipientKey{e.Hash, "a@example.org", 1}); !ok || o.Status != want {
			t.Errorf("%s: %s, want %s", steps, o.Status, want)
		}
		closeLog(t, l)
	}
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	for _, err := range []error{io.EOF, context.Canceled} {
		if got := recipientOf(smtp.Outcome{Err: err}).outcome().Err; got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := recipientOf(smtp.Outcome{Err: errors.New("x")}).outcome().Err; got == nil || got.Error() != "x" {
		t.Errorf("%v", got)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.log")
	l := openLog(t, path)
	if _, err := Open(path, time.Now); !errors.Is(err, ErrBusy) {
		t.Errorf("the second: %v", err)
	}
	closeLog(t, l)
	closeLog(t, openLog(t, path))
}

// sampleLog returns a log of four lines.
func sampleLog(t testing.TB) []byte {
	path := filepath.Join(t.TempDir(), "run.log")
	l := openLog(t, path)
	e := testEntry(t, 'a', "a@example.org")
	if err := l.Attempt(e, testEntry(t, 'b', "b@example.org")); err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(e, "", "", []smtp.Outcome{testOutcome(t, "a@example.org", smtp.Accepted, 250)}); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	b, err := os.ReadFile(path)
	if err != nil || bytes.Count(b, []byte("\n")) != 4 {
		t.Fatalf("%v:\n%s", err, b)
	}
	return b
}

// A log that is cut at any octet is read up to its last complete line and continued from there.
func TestTornLine(t *testing.T) {
	t.Parallel()
	whole := sampleLog(t)
	path := filepath.Join(t.TempDir(), "run.log")
	for cut := range len(whole) {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path, time.Now)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		kept := bytes.LastIndexByte(whole[:cut], '\n') + 1
		if l.CutOff() != int64(cut-kept) {
			t.Fatalf("cut at %d: %d octets left out, want %d", cut, l.CutOff(), cut-kept)
		}
		if err := l.Attempt(testEntry(t, 'z', "z@example.org")); err != nil {
			t.Fatal(err)
		}
		closeLog(t, l)
		l = openLog(t, path)
		if o, _ := l.State(RecipientKey{Hash{'z'}, "z@example.org", 1}); o.Status != smtp.Unknown || l.CutOff() != 0 {
			t.Fatalf("cut at %d: %v, %d octets left out", cut, o, l.CutOff())
		}
		closeLog(t, l)
	}
	// Some file systems leave zeros where a write was lost.
	if err := os.WriteFile(path, append(bytes.Clone(whole), make([]byte, 300)...), 0o600); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, path)
	if l.CutOff() != 300 {
		t.Errorf("%d octets left out", l.CutOff())
	}
	closeLog(t, l)
}

func TestDamage(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(string(sampleLog(t)), "\n")
	for _, bad := range []string{"", "\n", "x\n", "{}\n", "\x00\x00\n", lines[1][:20] + "\n", lines[0],
		strings.Replace(lines[3], "accepted", "acceptet", 1), strings.Replace(lines[3], "a@example.org", "a example.org", 1),
		strings.Replace(lines[3], "a@example.org", "", 1), strings.Replace(lines[1], `{"address"`, `{"copy":-1,"address"`, 1),
		strings.Replace(lines[1], `"sha256":"61`, `"sha256":"6`, 1), strings.Replace(lines[1], `"sha256":"61`, `"sha256":"6x`, 1),
		strings.Replace(lines[1], `"attempt"`, `"atempt"`, 1)} {
		if bad == "" {
			continue
		}
		if bad == lines[1] || bad == lines[3] {
			t.Fatalf("%s is not damaged", bad)
		}
		for at := 2; at <= 4; at++ {
			file := strings.Join(lines[:at-1], "") + bad + strings.Join(lines[at-1:], "")
			path := filepath.Join(t.TempDir(), "run.log")
			if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, time.Now)
			var damage *DamageError
			if !errors.As(err, &damage) || damage.Line != at || !strings.Contains(err.Error(), fmt.Sprintf("line %d is damaged", at)) {
				t.Errorf("%q as line %d: %v", bad, at, err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != file {
				t.Errorf("%q as line %d: the file was changed", bad, at)
			}
		}
	}
}

func TestNotALog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	header := strings.SplitAfter(string(sampleLog(t)), "\n")[0]
	for text, want := range map[string]error{
		"Dear friend,\n": ErrForeign, "Dear friend,": ErrForeign, "{\"event\":\"attempt\"}\n": ErrForeign, "\x00\x00\x00": ErrForeign,
		strings.Replace(header, ":1,", ":2,", 1): &VersionError{2}, strings.Replace(header, ":1,", ":x,", 1): ErrForeign, "\n": ErrForeign,
	} {
		path := filepath.Join(dir, "notes.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, time.Now)
		var version *VersionError
		if !errors.Is(err, want) && !(errors.As(err, &version) && *version == *want.(*VersionError)) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%q: the file was changed to %q", text, after)
		}
	}
	if s := (&VersionError{2}).Error(); !strings.Contains(s, "version 2") {
		t.Error(s)
	}
	for _, path := range []string{dir, os.DevNull} {
		if _, err := Open(path, time.Now); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none", "run.log"), time.Now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// After the first failure nothing is written.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	l := openLog(t, filepath.Join(t.TempDir(), "run.log"))
	if err := l.file.Close(); err != nil { // so every write fails
		t.Fatal(err)
	}
	first := l.Attempt(testEntry(t, 'a', "a@example.org"))
	if l.Sync() != first {
		t.Error("Sync returned another error")
	}
	second := l.Settle(testEntry(t, 'a', "a@example.org"), "", "", []smtp.Outcome{testOutcome(t, "a@example.org", smtp.Accepted, 250)})
	if first == nil || second != first || l.Close() != first {
		t.Errorf("%v, %v", first, second)
	}
}

// The batch grows while the disk is slow compared to the network, and shrinks again.
func TestBatch(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	perSync := 2 * time.Millisecond
	l, err := Open(filepath.Join(t.TempDir(), "run.log"), func() time.Time {
		now = now.Add(perSync)
		return now
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog(t, l)
	attempt := func(times int, pause time.Duration) int {
		for range times {
			if err := errors.Join(l.Attempt(testEntry(t, 'a', "a@example.org")), l.Sync()); err != nil {
				t.Fatal(err)
			}
			now = now.Add(pause)
		}
		return l.Batch()
	}
	if got := attempt(3, time.Second); got != 1 {
		t.Errorf("with a slow network the batch is %d", got)
	}
	if got := attempt(20, time.Millisecond); got != maxBatch {
		t.Errorf("with a fast network the batch is %d", got)
	}
	if got := attempt(20, 50*time.Millisecond); got != maxBatch {
		t.Errorf("in the middle the batch is %d", got)
	}
	if got := attempt(20, time.Second); got != 1 {
		t.Errorf("with a slow network the batch is %d", got)
	}
}

// FuzzLoad reads random logs and never changes a file that it refuses.
func FuzzLoad(f *testing.F) {
	whole := sampleLog(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-30])
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "run.log")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path, time.Now)
		after, readErr := os.ReadFile(path)
		switch {
		case readErr != nil:
			t.Fatal(readErr)
		case err != nil && !bytes.Equal(after, file):
			t.Fatalf("refused (%v) and changed", err)
		case err != nil:
			return
		case len(after) == 0 || after[len(after)-1] != '\n':
			t.Fatalf("ends with %q", after)
		}
		states := len(l.states)
		closeLog(t, l)
		l = openLog(t, path)
		if len(l.states) != states {
			t.Fatalf("%d states, then %d", states, len(l.states))
		}
		closeLog(t, l)
	})
}
