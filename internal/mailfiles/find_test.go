package mailfiles

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// writeTree writes files at slash-separated paths and returns their directory.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			path = filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sentForm returns the message as it is sent.
func sentForm(t *testing.T, m *MessageRef) string {
	t.Helper()
	c, err := m.Open()
	if err != nil {
		t.Fatalf("%s %d: %v", m.Path, m.Number, err)
	}
	defer c.Close() // only read
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const mail = "From: a@example.org\nTo: b@example.org\n\nhello\n"

func TestFind(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{
		"md/cur/2.host;2,S": mail, "md/new/1.host": mail, "md/cur/3.host!2,": mail, "md/cur/.hidden": "x", "md/tmp/0.host": "x",
		"md/.Sent/cur/9": mail, "md/.Sent/new/": "",
		"empty/cur/": "", "empty/new/": "", "empty/tmp/9": mail,
		"half/cur/1": mail, "zero.mbox": "", "none/a.txt": "x",
		"plain/b.eml": mail, "plain/a.EML": mail, "plain/c.txt": "x", "plain/d/e.eml": mail, "plain/.f.eml": mail,
		"one.eml":  mail,
		"two.mbox": "From x Mon Nov 23 04:25:28 2026\n" + mail + "\nFrom x Mon Nov 23 04:25:28 2026\n" + mail,
	})
	for path, want := range map[string]string{
		"md": "new/1.host cur/2.host;2,S cur/3.host!2,", "plain": "a.EML b.eml", "one.eml": "one.eml", "two.mbox": "two.mbox#1 two.mbox#2",
	} {
		found, err := Find(filepath.Join(dir, path), Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		var names []string
		for _, m := range found.Messages {
			name := strings.TrimPrefix(strings.TrimPrefix(m.Path, dir+"/"), path+"/")
			if m.Number > 0 {
				name += fmt.Sprintf("#%d", m.Number)
			}
			names = append(names, name)
			if got := sentForm(t, &m); got != strings.ReplaceAll(mail, "\n", "\r\n") {
				t.Errorf("%s: %q", name, got)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]error{"empty": ErrEmptyMaildir, "half": ErrNoMail, "none": ErrNoMail, "zero.mbox": ErrEmpty, "missing": fs.ErrNotExist} {
		if found, err := Find(filepath.Join(dir, path), Options{}); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v, want %v", path, found, err, want)
		}
	}
	if _, err := Find(os.DevNull, Options{}); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%s: %v", os.DevNull, err)
	}
}

// A message that is read and moves from new to cur keeps its place.
func TestMaildirOrder(t *testing.T) {
	t.Parallel()
	before := writeTree(t, map[string]string{"new/1.a": mail, "new/2.b": mail, "cur/3.c;2,": mail})
	after := writeTree(t, map[string]string{"new/1.a": mail, "cur/2.b;2,FS": mail, "cur/3.c;2,T": mail})
	unique := func(dir string) (names []string) {
		found, err := Find(dir, Options{Marked: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found.Messages {
			names = append(names, uniqueName(m.Path))
		}
		return names
	}
	if a, b := unique(before), unique(after); !slices.Equal(a, b) || len(a) != 3 {
		t.Errorf("%q, then %q", a, b)
	}
}

func TestUniqueName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"1.a:2,S": "1.a", "1.a!2,": "1.a", "1.a;2,RS": "1.a", "1.a": "1.a", "1:2,a:2,b": "1:2,a"} {
		if got := uniqueName(filepath.Join("cur", name)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestChangedFile(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"a.eml": mail, "b.mbox": from + mail + "\n" + from + mail})
	for _, name := range []string{"a.eml", "b.mbox"} {
		path := filepath.Join(dir, name)
		found, err := Find(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		last := &found.Messages[len(found.Messages)-1]
		first, again := sentForm(t, last), sentForm(t, last)
		if first != again {
			t.Errorf("%s: %q, then %q", name, first, again)
		}
		stamp := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // independent of the clock's resolution
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		if _, err := last.Open(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := last.Open(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A large message keeps its file open, a small one does not, and a quoted one uses a file of its
// own.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	body := strings.Repeat(strings.Repeat("x", 70)+"\n", 20_000)
	dir := writeTree(t, map[string]string{"big.eml": mail + body, "big.mbox": from + mail + body + ">>From here\n\n" + from + mail})
	for name, wants := range map[string][]string{"big.eml": {mail + body}, "big.mbox": {mail + body + ">From here\n", mail}} {
		found, err := Find(filepath.Join(dir, name), Options{})
		if err != nil || len(found.Messages) != len(wants) {
			t.Fatal(found, err)
		}
		for i, want := range wants {
			if got := sentForm(t, &found.Messages[i]); got != strings.ReplaceAll(want, "\n", "\r\n") {
				t.Errorf("%s: %d octets, want %d", name, len(got), len(want))
			}
		}
	}
	big := &MessageRef{Path: filepath.Join(dir, "big.eml")}
	c, err := big.Open()
	if err != nil || c.file == nil {
		t.Fatalf("%v: the file is not open", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestNoMessage(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"a.eml": "no header\n", "folder/": ""})
	m := &MessageRef{Path: filepath.Join(dir, "a.eml")}
	if c, err := m.Open(); err == nil || c != nil {
		t.Errorf("%v, %v", c, err)
	}
	m = &MessageRef{Path: filepath.Join(dir, "folder")}
	if _, err := m.Open(); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%v", err)
	}
}

// Messages deleted by their owner, and drafts, are skipped and counted.
func TestMarkedMessages(t *testing.T) {
	t.Parallel()
	const internal = "From: Mail System Internal Data <MAILER-DAEMON@host>\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nx\n"
	dir := writeTree(t, map[string]string{
		"md/cur/1:2,S": mail, "md/cur/2:2,ST": mail, "md/cur/3;2,D": mail, "md/cur/4!2,DT": mail, "md/cur/5TD": mail, "md/new/6": mail,
		"gone/cur/1:2,T": mail, "gone/new/": "",
		"a.mbox": from + internal + "\n" + from + "X-Mozilla-Status: 0009\n" + mail + "\n" + from + "X-Status: T\n" + mail + "\n" + from + "Status: RO\n" + mail,
		"b.mbox": from + internal,
		"c.eml":  "X-Mozilla-Status: 0009\n" + mail,
	})
	for _, test := range []struct {
		path                                 string
		live, all, deleted, drafts, internal int
	}{{"md", 3, 6, 2, 1, 0}, {"gone", 0, 1, 1, 0, 0}, {"a.mbox", 1, 3, 1, 1, 1}, {"b.mbox", 0, 0, 0, 0, 1}, {"c.eml", 1, 1, 0, 0, 0}} {
		path := filepath.Join(dir, test.path)
		found, err := Find(path, Options{})
		if got := (FoundMessages{nil, found.Deleted, found.Drafts, found.Internal}); len(found.Messages) != test.live || got.Deleted != test.deleted || got.Drafts != test.drafts || got.Internal != test.internal || (test.live == 0) != errors.Is(err, ErrMarked) {
			t.Errorf("%s: %+v, %v", test.path, found, err)
		}
		for _, m := range found.Messages {
			if got := sentForm(t, &m); got != strings.ReplaceAll(mail, "\n", "\r\n") {
				t.Errorf("%s: %q", test.path, got)
			}
		}
		if found, _ := Find(path, Options{Marked: true}); len(found.Messages) != test.all || found.Deleted+found.Drafts != 0 {
			t.Errorf("%s, all: %+v", test.path, found)
		}
	}
}
