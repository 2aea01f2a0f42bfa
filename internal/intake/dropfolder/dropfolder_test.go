//go:build unix

package dropfolder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/intake/dropfolder"
)

// text is a Content.
type text string

func (t text) Size() int64 { return int64(len(t)) }

func (t text) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(t))
	return int64(n), err
}

// accepted is what a Reader has handed over.
type accepted struct {
	mu   sync.Mutex
	list []taken
	err  error
}

type taken struct {
	dropfolder.Envelope
	owner int
	text  string
}

func (a *accepted) accept(_ context.Context, m dropfolder.Message) error {
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.list = append(a.list, taken{m.Envelope, m.Owner.UID, string(body)})
	return nil
}

var errForGood = errors.New("no")

// folder returns a drop folder with a Reader.
func folder(t *testing.T) (dir string, r *dropfolder.Reader, got *accepted, log *bytes.Buffer) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "drop")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(dir, 0o3733); err != nil {
		t.Fatal(err)
	}
	got, log = new(accepted), new(bytes.Buffer)
	r, err := dropfolder.Open(dropfolder.Options{Dir: dir, Accept: got.accept, Log: slog.New(slog.NewTextHandler(log, nil)),
		Permanent: func(err error) bool { return errors.Is(err, errForGood) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return dir, r, got, log
}

func scan(t *testing.T, r *dropfolder.Reader) dropfolder.Found {
	t.Helper()
	found, err := r.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range list {
		all = append(all, e.Name())
	}
	return all
}

func TestMessagesAreTakenIn(t *testing.T) {
	t.Parallel()
	dir, r, got, log := folder(t)
	long := strings.Repeat("0123456789abcdef", 20_000)
	for i, body := range []string{"Subject: x\r\n\r\nhello\r\n", "", long} {
		e := dropfolder.Envelope{From: fmt.Sprintf("s%d@example.com", i), To: []string{"root", "雁@example.com"}, Notify: "NEVER", Return: "HDRS", EnvelopeID: "e", Key: "k"}
		if err := dropfolder.Write(dir, e, text(body)); err != nil {
			t.Fatal(err)
		}
	}
	if found := scan(t, r); found.Accepted != 3 || found.Odd+found.Refused+found.Deferred != 0 {
		t.Errorf("%+v\n%s", found, log)
	}
	for i, m := range got.list {
		if m.From != fmt.Sprintf("s%d@example.com", i) || fmt.Sprint(m.To) != "[root 雁@example.com]" || m.owner != os.Geteuid() || m.Key != "k" || m.Notify != "NEVER" ||
			m.DSN().Return != "HDRS" || m.DSN().EnvelopeID != "e" {
			t.Errorf("%d: %+v", i, m.Envelope)
		}
	}
	if len(got.list) != 3 || got.list[2].text != long || got.list[1].text != "" {
		t.Error("the texts differ")
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// The umask does not keep the daemon, which is in the folder's group, from reading.
func TestModeOfFiles(t *testing.T) {
	t.Parallel()
	dir, _, _, _ := folder(t)
	if err := dropfolder.Write(dir, dropfolder.Envelope{To: []string{"a@b"}}, text("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, names(t, dir)[0]))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A message whose Accept fails stays; one that is refused is set aside until Retry.
func TestFailures(t *testing.T) {
	t.Parallel()
	dir, r, got, log := folder(t)
	if err := dropfolder.Write(dir, dropfolder.Envelope{To: []string{"secret@example.com"}}, text("x")); err != nil {
		t.Fatal(err)
	}
	got.err = errors.New("the disk is full")
	for range 2 {
		if found := scan(t, r); found.Deferred != 1 {
			t.Errorf("%+v", found)
		}
	}
	got.err = errForGood
	if found := scan(t, r); found.Refused != 1 {
		t.Errorf("%+v", found)
	}
	got.err = nil
	if found := scan(t, r); found != (dropfolder.Found{}) {
		t.Errorf("%+v", found)
	}
	r.Retry()
	got.err = errForGood
	if found := scan(t, r); found.Refused != 1 {
		t.Errorf("%+v", found)
	}
	r.Retry()
	got.err = nil
	if found := scan(t, r); found.Accepted != 1 || len(names(t, dir)) != 0 {
		t.Errorf("%+v, %q", found, names(t, dir))
	}
	if !strings.Contains(log.String(), "refused") || strings.Contains(log.String(), "secret@") {
		t.Errorf("the log: %s", log)
	}
}

// What is no file of Write's is refused and logged once. It is not opened: a pipe would block.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	dir, r, got, log := folder(t)
	outside := filepath.Join(t.TempDir(), "outside")
	line := `{"yan_drop":1,"from":"","to":["a@example.com"],"size":1}` + "\nx"
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	write(outside, line)
	for name, err := range map[string]error{
		"symbolic link":    os.Symlink(outside, at("msg-symlink")),
		"dangling link":    os.Symlink("/nonexistent", at("msg-dangling")),
		"hard link":        os.Link(outside, at("msg-hardlink")),
		"pipe":             syscall.Mkfifo(at("msg-fifo"), 0o644),
		"folder":           os.Mkdir(at("msg-folder"), 0o755),
		"pipe, temporary":  syscall.Mkfifo(at("tmp-fifo"), 0o644),
		"link, temporary":  os.Symlink(outside, at("tmp-link")),
		"pipe, other name": syscall.Mkfifo(at("odd\nname"), 0o644),
	} {
		if err != nil {
			t.Fatal(name, err)
		}
	}
	write(at("msg-empty"), "")
	write(at("msg-noline"), `{"yan_drop":1`)
	write(at("msg-nojson"), "hello\nworld")
	write(at("msg-cut"), line[:len(line)-1])
	write(at("msg-long"), line+"y")
	write(at("msg-newer"), strings.Replace(line, `"yan_drop":1`, `"yan_drop":2`, 1))
	write(at("msg-noone"), `{"yan_drop":1,"to":[],"size":0}`+"\n")
	empty := strings.Repeat(`"",`, 300_000) + `""`
	write(at("msg-many"), `{"yan_drop":1,"to":[`+empty+`],"size":0}`+"\n")
	write(at("other.txt"), line)
	before := len(names(t, dir))
	for range 2 {
		if found := scan(t, r); found.Odd != 15 || found.Accepted != 0 {
			t.Errorf("%+v", found)
		}
	}
	if len(got.list) != 0 || len(names(t, dir)) != before {
		t.Errorf("accepted %+v, left %q", got.list, names(t, dir))
	}
	if lines := strings.Count(log.String(), "level=ERROR"); lines != 15 {
		t.Errorf("%d lines in the log:\n%s", lines, log)
	}
	if err := os.Remove(outside); err != nil { // the hard link has one name now, but its group is another
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(at("msg-hardlink"), 1, 12345); err != nil {
			t.Fatal(err)
		}
		if found := scan(t, r); found.Accepted != 0 {
			t.Errorf("a file of another group was accepted: %+v", got.list)
		}
	}
}

// A file that its owner makes shorter while it is read is no message.
func TestFileThatShrinks(t *testing.T) {
	t.Parallel()
	dir, _, _, _ := folder(t)
	if err := dropfolder.Write(dir, dropfolder.Envelope{To: []string{"a@b"}}, text(strings.Repeat("x", 200_000))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, names(t, dir)[0])
	var readErr error
	r, err := dropfolder.Open(dropfolder.Options{Dir: dir, Accept: func(_ context.Context, m dropfolder.Message) error {
		if err := os.Truncate(name, 100_000); err != nil {
			return err
		}
		_, readErr = io.Copy(io.Discard, m.Body)
		return readErr
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if found := scan(t, r); found.Deferred != 1 || !errors.Is(readErr, io.ErrUnexpectedEOF) {
		t.Errorf("%+v, %v", found, readErr)
	}
}

func TestAbandonedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	dir, r, _, _ := folder(t)
	old, fresh := filepath.Join(dir, "tmp-old"), filepath.Join(dir, "tmp-new")
	for _, name := range []string{old, fresh} {
		if err := os.WriteFile(name, []byte("half"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	scan(t, r)
	if left := names(t, dir); len(left) != 1 || left[0] != "tmp-new" {
		t.Errorf("left: %q", left)
	}
}

// A folder in which users could remove the files of others is not used, neither by the daemon nor
// by a caller.
func TestFolderWithoutStickyBit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := dropfolder.Open(dropfolder.Options{Dir: dir}); err == nil {
		t.Error("opened")
	}
	if err := dropfolder.Write(dir, dropfolder.Envelope{To: []string{"a@b"}}, text("x")); err == nil || len(names(t, dir)) > 0 {
		t.Errorf("%v, %q", err, names(t, dir))
	}
}

// broken is a Content that ends early, or fails.
type broken struct {
	text
	err error
}

func (b broken) WriteTo(w io.Writer) (int64, error) {
	n, _ := io.WriteString(w, "half")
	return int64(n), b.err
}

func TestNothingIsLeftAfterAnError(t *testing.T) {
	t.Parallel()
	dir, _, _, _ := folder(t)
	for _, m := range []broken{{"whole", nil}, {"whole", io.ErrClosedPipe}} {
		if err := dropfolder.Write(dir, dropfolder.Envelope{To: []string{"a@b"}}, m); err == nil {
			t.Error("no error")
		}
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	missing := filepath.Join(dir, "missing")
	if err := dropfolder.Write(missing, dropfolder.Envelope{To: []string{"a@b"}}, text("x")); !errors.Is(err, os.ErrNotExist) || dropfolder.Exists(missing) {
		t.Errorf("a missing folder: %v", err)
	}
	if !dropfolder.Exists(dir) {
		t.Error("the folder was not found")
	}
}

// Watch takes in messages that come while it runs, and ends with its context.
func TestWatch(t *testing.T) {
	t.Parallel()
	dir, _, _, _ := folder(t)
	came := make(chan string, 10)
	ticks := make(chan time.Time)
	r, err := dropfolder.Open(dropfolder.Options{Dir: dir, After: func(time.Duration) <-chan time.Time { return ticks },
		Accept: func(_ context.Context, m dropfolder.Message) error { came <- m.From; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Watch(ctx) }()
	for i := range 3 {
		from := fmt.Sprint(i)
		if err := dropfolder.Write(dir, dropfolder.Envelope{From: from, To: []string{"a@b"}}, text("x")); err != nil {
			t.Fatal(err)
		}
		ticks <- time.Time{}
		if got := <-came; got != from {
			t.Errorf("got %q, want %q", got, from)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"yan_drop":1,"from":"a@b","to":["c@d"],"size":1}` + "\nx"))
	f.Add([]byte("{}\n"))
	dir := filepath.Join(f.TempDir(), "drop")
	if err := os.Mkdir(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	name := filepath.Join(dir, "msg-x")
	var seen int64
	r, err := dropfolder.Open(dropfolder.Options{Dir: dir, Accept: func(_ context.Context, m dropfolder.Message) error {
		n, err := io.Copy(io.Discard, m.Body)
		if err != nil || n != m.Size || len(m.To) == 0 || m.Key == "" {
			f.Errorf("%+v: %d octets, %v", m.Envelope, n, err)
		}
		seen++
		return errForGood
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
