package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// oldFile writes a file with an old modification time.
func oldFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	setModified(t, path, clock().Add(-time.Hour))
	return path
}

func setModified(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// bodies composes a message with the attachments and reads them back.
func bodies(t *testing.T, c *Composer, attachments ...Attachment) []string {
	t.Helper()
	content, err := c.Compose(&Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "text", Attachments: attachments})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range parse(t, write(t, content)).leaves[1:] {
		got = append(got, string(l.body))
	}
	if err := content.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestComposerEncodesOnce(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	path := oldFile(t, filepath.Join(t.TempDir(), "file"), data[1:])
	c := &Composer{now: clock}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				got := bodies(t, c, File(path), Bytes("data", bytes.Clone(data)))
				if got[0] != string(data[1:]) || got[1] != string(data) {
					t.Errorf("got %d and %d octets", len(got[0]), len(got[1]))
				}
			}
		})
	}
	all.Wait()
	if c.encodings != 2 {
		t.Errorf("%d encodings of two attachments", c.encodings)
	}
}

// A file that may have changed is encoded again, and the new content is sent.
func TestComposerNoticesChange(t *testing.T) {
	t.Parallel()
	path := oldFile(t, filepath.Join(t.TempDir(), "file"), []byte("old."))
	buffer := []byte("old.")
	tests := []struct {
		name   string
		a      Attachment
		change func()
	}{
		{"modified", File(path), func() {
			if err := os.WriteFile(path, []byte("new!"), 0o600); err != nil {
				t.Fatal(err)
			}
			setModified(t, path, clock().Add(-time.Minute))
		}},
		{"replaced by one with the same time", File(path), func() {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			other := oldFile(t, path+".other", []byte("new!"))
			setModified(t, other, info.ModTime())
			if err := os.Rename(other, path); err != nil {
				t.Fatal(err)
			}
		}},
		{"longer", File(path), func() {
			if err := os.WriteFile(path, []byte("new!"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a buffer filled anew", Bytes("buffer", buffer), func() { copy(buffer, "new!") }},
	}
	for _, tt := range tests {
		c := &Composer{now: clock}
		before := "old."
		if tt.name == "longer" {
			before = "old one"
		}
		if tt.a.Path != "" {
			oldFile(t, path, []byte(before))
		}
		for range 2 {
			if got := bodies(t, c, tt.a); got[0] != before {
				t.Errorf("%s: %q before the change", tt.name, got)
			}
		}
		tt.change()
		if got := bodies(t, c, tt.a); got[0] != "new!" {
			t.Errorf("%s: %q after the change", tt.name, got)
		}
	}
}

// A file that was modified just now may change again within the same tick of its clock.
func TestComposerDoesNotKeepWhatMayChangeUnseen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for _, age := range []time.Duration{-time.Hour, 0, time.Second} {
		c := &Composer{now: clock}
		for _, content := range []string{"old.", "new!"} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			setModified(t, path, clock().Add(-age))
			if got := bodies(t, c, File(path)); got[0] != content || c.encodings != 0 {
				t.Errorf("modified %v ago: %q instead of %q, %d encodings", age, got[0], content, c.encodings)
			}
		}
	}
}

func TestComposerBounds(t *testing.T) {
	t.Parallel()
	const size = 5700 // 100 lines
	attachment := func(i int) Attachment {
		return Bytes("data", bytes.Repeat([]byte{byte(i)}, size))
	}
	c := &Composer{now: clock, MaxAttachment: size, MaxTotal: 3 * 7800}
	kept := func(want ...int) {
		t.Helper()
		if c.total != int64(len(c.kept))*7800 || c.total > c.MaxTotal || c.byUse.Len() != len(c.kept) {
			t.Errorf("%d octets in %d forms, %d in order of use", c.total, len(c.kept), c.byUse.Len())
		}
		before := c.encodings
		for _, i := range want {
			bodies(t, c, attachment(i))
		}
		if c.encodings != before {
			t.Errorf("of %v, %d had been dropped", want, c.encodings-before)
		}
	}
	for i := range 3 {
		bodies(t, c, attachment(i))
	}
	kept(2, 0, 1)
	bodies(t, c, attachment(3)) // drops 2, the least recently used
	kept(0, 1, 3)
	for i := range 100 {
		bodies(t, c, attachment(i))
	}
	kept(97, 98, 99)

	kept()
	before := c.encodings
	bodies(t, c, Bytes("too large", make([]byte, size+1)))
	bodies(t, c, Reader("reader", strings.NewReader("reader")), Reader("stream", io.MultiReader(strings.NewReader("stream"))))
	bodies(t, c, Bytes("empty", nil))
	if c.encodings != before {
		t.Errorf("%d attachments were kept that should not be", c.encodings-before)
	}
	for _, none := range []*Composer{{MaxTotal: -1}, {MaxTotal: 7799}, {MaxAttachment: -1}} {
		if got := bodies(t, none, attachment(7)); len(got[0]) != size || none.encodings != 0 || none.total != 0 {
			t.Errorf("%+v keeps", none)
		}
	}
}

// A read error is returned to the first caller and not cached.
func TestComposerFailure(t *testing.T) {
	t.Parallel()
	path := oldFile(t, filepath.Join(t.TempDir(), "file"), []byte("content"))
	src, err := fileSource("label", path)
	if err != nil {
		t.Fatal(err)
	}
	src.close()
	c := &Composer{now: clock}
	if err := c.encodeSource(src); !errors.Is(err, os.ErrClosed) || !strings.HasPrefix(err.Error(), "label: ") || src.encoded != nil {
		t.Errorf("error %v, %d octets", err, len(src.encoded))
	}
	if len(c.kept) != 0 || c.total != 0 || c.byUse.Len() != 0 {
		t.Error("a failure is kept")
	}
	if got := bodies(t, c, File(path)); got[0] != "content" || c.encodings != 2 || len(c.kept) != 1 {
		t.Errorf("%q, %d encodings, %d kept", got, c.encodings, len(c.kept))
	}
}

// A file that changed between opening and the end of reading is not cached.
func TestComposerDoesNotKeepWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	path := oldFile(t, filepath.Join(t.TempDir(), "file"), []byte("old."))
	src, err := fileSource("label", path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	setModified(t, path, clock().Add(-time.Minute))
	c := &Composer{now: clock}
	if err := c.encodeSource(src); err != nil || src.encoded != nil || len(c.kept) != 0 || c.total != 0 {
		t.Errorf("%v, %q, %d kept", err, src.encoded, len(c.kept))
	}
}

// The encoded form is written in one piece, without a copy.
func TestComposerWritesWithoutCopy(t *testing.T) {
	t.Parallel()
	c := &Composer{now: clock}
	content, err := c.Compose(withAttachment(Bytes("x", make([]byte, 1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	encoded := content.sources.list[0].encoded
	found := false
	n, err := content.WriteTo(writerFunc(func(p []byte) (int, error) {
		found = found || &p[0] == &encoded[0] && len(p) == len(encoded)
		return len(p), nil
	}))
	if err != nil || n != content.Size() || !found {
		t.Errorf("%d of %d octets, %v; in one piece: %v", n, content.Size(), err, found)
	}
}

func BenchmarkComposerAttachment(b *testing.B) {
	path := filepath.Join(b.TempDir(), "file")
	for _, size := range []int{50 << 10, 1 << 20} {
		data := bytes.Repeat([]byte("x"), size)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
		for _, a := range []Attachment{File(path), Bytes("data", data)} {
			kind := "data"
			if a.Path != "" {
				kind = "file"
			}
			m := withAttachment(a)
			later := func() time.Time { return time.Now().Add(time.Hour) }
			for name, c := range map[string]*Composer{"composer": {now: later}, "alone": nil} {
				b.Run(fmt.Sprintf("%s of %d KiB/%s", kind, size>>10, name), func(b *testing.B) {
					b.ReportAllocs()
					b.SetBytes(int64(size))
					for b.Loop() {
						content, err := c.Compose(m)
						if err != nil {
							b.Fatal(err)
						}
						if _, err := content.WriteTo(io.Discard); err != nil {
							b.Fatal(err)
						}
						content.Close()
					}
				})
			}
		}
	}
}
