package message

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/yanmail/yan/internal/files/atomicfile"
)

func withAttachment(a Attachment) *Message {
	return &Message{From: "a@example.com", To: []string{"b@example.com"}, Text: "text", Attachments: []Attachment{a}}
}

// Sources of all kinds can be read twice, and their temporary files are gone after Close.
func TestSources(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789\n"), 200_000) // over spoolMemory
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, big, 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Seek(11, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	pipeRead, pipeWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		pipeWrite.Write(big)
		pipeWrite.Close()
	}()
	partly := strings.NewReader("skipped, the rest")
	io.CopyN(io.Discard, partly, 9)

	tests := []struct {
		name    string
		a       Attachment
		want    []byte
		spooled bool
	}{
		{"path", Attachment{Name: "x", Path: path}, big, false},
		{"bytes", Bytes("x", big), big, false},
		{"nil bytes", Bytes("x", nil), nil, false},
		{"file from its offset", Reader("x", opened), big[11:], false},
		{"seeker from its offset", Reader("x", partly), []byte("the rest"), false},
		{"buffer", Reader("x", bytes.NewBufferString("once")), []byte("once"), false},
		{"stream at the limit", Reader("x", io.MultiReader(bytes.NewReader(big[:spoolMemory]))), big[:spoolMemory], false},
		{"stream over the limit", Reader("x", io.MultiReader(bytes.NewReader(big[:spoolMemory+1]))), big[:spoolMemory+1], true},
		{"slow stream", Reader("x", iotest.OneByteReader(strings.NewReader("slow"))), []byte("slow"), false},
		{"pipe", Reader("x", pipeRead), big, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := compose(t, withAttachment(tt.a))
			for range 2 {
				p := parse(t, write(t, c))
				if got := p.leaves[1].body; !bytes.Equal(got, tt.want) {
					t.Fatalf("%d octets instead of %d", len(got), len(tt.want))
				}
			}
			f := c.sources.list[0]
			if spooled := f.file != nil && f.path == ""; spooled != tt.spooled {
				t.Errorf("spooled: %v", spooled)
			}
			if err := errors.Join(c.Close(), c.Close()); err != nil {
				t.Fatal(err)
			}
			if n, err := c.WriteTo(io.Discard); n != 0 || err == nil {
				t.Errorf("WriteTo after Close: %d, %v", n, err)
			}
		})
	}
}

// An endless reader fills neither memory nor disk, and leaves no temporary file.
func TestSpoolIsBounded(t *testing.T) {
	t.Parallel()
	s, err := spoolReader("x", iotest.DataErrReader(endless{}), 2*spoolMemory)
	var long *atomicfile.TooLongError
	if s != nil || !errors.As(err, &long) || long.Most != 2*spoolMemory {
		t.Errorf("%v, %v", s, err)
	}
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// fickle is a seeker whose content or readability changes on request.
type fickle struct {
	*bytes.Reader
	fail error
}

func (f *fickle) Read(p []byte) (int, error) {
	if f.fail != nil && f.Reader.Len() < 1000 {
		return 0, f.fail
	}
	return f.Reader.Read(p)
}

func (f *fickle) ReadAt(p []byte, off int64) (int, error) { panic("not wanted") }

// If a source changes after it was measured, fewer than Size octets are written and the error
// names the source.
func TestChangedSourceIsNeverWholeMessage(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	for _, size := range []int{0, 1, 57, 5000, inputBlock, inputBlock * 3, outputBlock * 2} {
		data := bytes.Repeat([]byte("x"), size)
		tests := []struct {
			name   string
			change func(f *fickle, path string) error
			want   error
		}{
			{"shorter", func(f *fickle, path string) error {
				f.Reader = bytes.NewReader(data[:max(0, size-1)])
				return os.Truncate(path, int64(max(0, size-1)))
			}, errSize},
			{"longer", func(f *fickle, path string) error {
				f.Reader = bytes.NewReader(append(data[:size:size], 'y'))
				return os.WriteFile(path, append(data[:size:size], 'y'), 0o600)
			}, errSize},
			{"failing", func(f *fickle, path string) error { f.fail = broken; return nil }, broken},
		}
		for _, tt := range tests {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			f := &fickle{Reader: bytes.NewReader(data)}
			contents := map[string]*Content{
				"reader": compose(t, withAttachment(Reader("x.bin", f))),
				"file":   compose(t, withAttachment(Attachment{Name: "x.bin", Path: path})),
			}
			if tt.want == broken {
				delete(contents, "file")
			}
			if size == 0 && tt.name == "shorter" {
				continue
			}
			if err := tt.change(f, path); err != nil {
				t.Fatal(err)
			}
			for kind, c := range contents {
				var b bytes.Buffer
				n, err := c.WriteTo(&b)
				if !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), `attachments[0] "x.bin": `) {
					t.Errorf("%s %s of %d: %v", tt.name, kind, size, err)
				}
				if kind == "file" && n != 0 {
					t.Errorf("%s of %d: %d octets written before the file was looked at", tt.name, size, n)
				}
				if n != int64(b.Len()) || n >= c.Size() {
					t.Errorf("%s %s of %d: wrote %d of %d, said %d", tt.name, kind, size, b.Len(), c.Size(), n)
				}
			}
		}
	}
}

// A file that changes during reading, after the check of its length.
func TestFileGrowsWhileRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{50_000, 200_000} {
		c := compose(t, withAttachment(Attachment{Name: "x.bin", Path: path}))
		changed := false
		n, err := c.WriteTo(writerFunc(func(p []byte) (int, error) {
			if !changed {
				changed = true
				return len(p), os.Truncate(path, size)
			}
			return len(p), nil
		}))
		if !errors.Is(err, errSize) || n >= c.Size() {
			t.Errorf("to %d: wrote %d of %d, %v", size, n, c.Size(), err)
		}
		if err := os.Truncate(path, 100_000); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChangedRawIsNeverWholeMessage(t *testing.T) {
	t.Parallel()
	body := "From: a@b.c\n\n" + strings.Repeat("0123456789\n", 5000)
	changes := map[string]string{
		"longer":          body + "x\n",
		"shorter":         body[:len(body)-1],
		"far more lines":  strings.NewReplacer("1", "\n", "3", "\n", "5", "\n", "7", "\n", "9", "\n").Replace(body),
		"more lines":      strings.ReplaceAll(body, "5", "\n"),
		"fewer lines":     body[:2000] + strings.Repeat("x", 900) + body[2900:],
		"one more at end": body[:len(body)-2] + "\n\n",
		"long line":       body[:2000] + strings.Repeat("x", 1900) + body[3900:],
		"NUL":             body[:2000] + "\x00" + body[2001:],
	}
	for name, changed := range changes {
		f := &fickle{Reader: bytes.NewReader([]byte(body))}
		c, err := ReadRaw(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Reader = bytes.NewReader([]byte(changed))
		if n, err := c.WriteTo(io.Discard); err == nil || n >= c.Size() {
			t.Errorf("%s: wrote %d of %d, %v", name, n, c.Size(), err)
		}
		f.Reader = bytes.NewReader([]byte(body))
		if n, err := c.WriteTo(io.Discard); err != nil || n != c.Size() {
			t.Errorf("%s, changed back: wrote %d of %d, %v", name, n, c.Size(), err)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestFailingWriter(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection gone")
	c := compose(t, withAttachment(Bytes("x", make([]byte, 200_000))))
	limit := int64(100_000)
	var got int64
	n, err := c.WriteTo(writerFunc(func(p []byte) (int, error) {
		k := min(int64(len(p)), limit-got)
		got += k
		if k < int64(len(p)) {
			return int(k), gone
		}
		return int(k), nil
	}))
	if n != limit || !errors.Is(err, gone) {
		t.Errorf("%d, %v", n, err)
	}
}

// An error closes the sources that were opened before it.
func TestComposeClosesOnError(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // Unix and Windows
		t.Setenv(name, dir)
	}
	if entries, err := os.ReadDir("/proc/self/fd"); err != nil || len(entries) == 0 {
		t.Skip("the open files of this process can't be listed here")
	}
	// The files have no names, so the test counts the process's open files in the folder.
	files := func() (n int) {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range open {
			if target, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(target, dir) {
				n++
			}
		}
		return n
	}
	large := func() io.Reader { return io.MultiReader(bytes.NewReader(make([]byte, spoolMemory+1))) }
	m := withAttachment(Reader("x", large()))
	c, err := Compose(m)
	if err != nil || files() != 1 {
		t.Fatalf("%v, %d temporary files", err, files())
	}
	if err := c.Close(); err != nil || files() != 0 {
		t.Fatalf("%v, %d temporary files", err, files())
	}
	m = withAttachment(Reader("x", large()))
	m.Attachments = append(m.Attachments, Attachment{Name: "none"})
	if _, err := Compose(m); err == nil || files() != 0 {
		t.Errorf("%v, %d temporary files", err, files())
	}
	failing := io.MultiReader(large(), iotest.ErrReader(errors.New("broken")))
	if _, err := Compose(withAttachment(Reader("x", failing))); err == nil || err.Error() != `attachments[0] "x": broken` || files() != 0 {
		t.Errorf("failing stream: %v, %d temporary files", err, files())
	}
	if _, err := ReadRaw(io.MultiReader(strings.NewReader("no header\n"), large())); err == nil || files() != 0 {
		t.Errorf("raw: %v, %d temporary files", err, files())
	}
}

// Memory does not grow with the attachment.
func TestStreamingMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 50<<20); err != nil { // sparse
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := Compose(withAttachment(File(path)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n, err := c.WriteTo(io.Discard)
	if err != nil || n != c.Size() || n < 68<<20 {
		t.Fatalf("%d, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<10 {
		t.Errorf("%d KiB allocated for 50 MiB", used>>10)
	}
}
