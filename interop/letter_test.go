//go:build interop && linux

package interop

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// letter is a message with every feature that has caused errors in other mail
// software.
type letter struct {
	from, to, cc, replyTo [2]string // name, address
	bcc                   string
	subject, note         string
	text, html            string
	files                 []file
}

type file struct {
	path        string
	inline      bool
	contentType string
}

// newLetter writes the files of a letter to the mailbox of that name, and to
// two more with "-cc" and "-bcc" appended.
func newLetter(t *testing.T, box string) letter {
	t.Helper()
	dir := t.TempDir()
	random := func(name string, size int) string {
		path := filepath.Join(dir, name)
		writeRandom(t, path, size)
		return path
	}
	return letter{
		from:    [2]string{"王小明（测试）", login},
		to:      [2]string{"李雷", box + "@example.test"},
		cc:      [2]string{`Han, "Mei" Mei`, box + "-cc@example.test"},
		replyTo: [2]string{"客服中心", "answers@example.test"},
		bcc:     box + "-bcc@example.test",
		subject: "第一封测试邮件：" + strings.Repeat("雁到了吗？", 30) + " 🐦 end",
		note:    "备注 " + strings.Repeat("一二三四五六七八九十 ", 12) + "end",
		text: "你好，世界！\r\n.\r\n..two dots\r\nFrom here on\r\n\r\ntrailing blanks  \t\r\n=3D is no escape\r\n" +
			strings.Repeat("一行很长的文字", 300) + "\r\n--boundary--\r\n🐦\r\n",
		html: `<p>你好，<b>世界</b>！<img src="cid:logo.png"></p>` + strings.Repeat("<p>段落 &amp; more</p>", 100) + "\r\n",
		files: []file{
			{random("logo.png", 1234), true, "image/png"},
			{random("报告 2026（最终版）; \"a\".pdf", 100_003), false, "application/pdf"},
			{random(strings.Repeat("很长的文件名", 12)+".bin", 57), false, ""},
			{random("empty.txt", 0), false, ""},
		},
	}
}

// writeRandom creates a file with octets that every encoding must handle.
func writeRandom(t *testing.T, path string, size int) {
	t.Helper()
	content := make([]byte, size)
	rand.Read(content) // never fails
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flags returns the letter as flags of the command.
func (l letter) flags(t *testing.T) []string {
	t.Helper()
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flags := []string{
		"-f", mailbox(l.from), "-t", mailbox(l.to), "--cc", mailbox(l.cc), "--bcc", l.bcc,
		"--reply-to", mailbox(l.replyTo), "-s", l.subject, "--header", "X-Note: " + l.note,
		"--body-file", write("text.txt", l.text), "--html-file", write("text.html", l.html),
	}
	for _, f := range l.files {
		if f.inline {
			flags = append(flags, "--inline", f.path)
		} else {
			flags = append(flags, "-a", f.path)
		}
	}
	return flags
}

// mailbox formats a name and an address as RFC 5322 requires.
func mailbox(m [2]string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(m[0]) + `" <` + m[1] + ">"
}

// recipients lists the addresses that the letter must reach.
func (l letter) recipients() []string { return []string{l.to[1], l.cc[1], l.bcc} }

// boxes lists their mailboxes.
func (l letter) boxes() []string {
	var boxes []string
	for _, recipient := range l.recipients() {
		local, _, _ := strings.Cut(recipient, "@")
		boxes = append(boxes, local)
	}
	return boxes
}

// check compares a stored message with the letter, field by field and octet
// by octet.
func (l letter) check(t *testing.T, got stored, messageID string) {
	t.Helper()
	for name, want := range map[string]string{"Subject": l.subject, "X-Note": l.note, "Message-ID": messageID} {
		if values := got.header(name); !slices.Equal(values, []string{want}) {
			t.Errorf("%s is\n%q, want\n%q", name, values, want)
		}
	}
	for name, want := range map[string][2]string{"from": l.from, "to": l.to, "cc": l.cc, "reply-to": l.replyTo} {
		if boxes := got.Addresses[name]; !slices.Equal(boxes, [][2]string{want}) {
			t.Errorf("%s is %q, want %q", name, boxes, want)
		}
	}
	if boxes, ok := got.Addresses["bcc"]; ok {
		t.Errorf("Bcc was transmitted: %q", boxes)
	}
	if values := got.header("Date"); len(values) != 1 {
		t.Errorf("got %d Date fields", len(values))
	}
	if got.LongestHeaderLine > 78 {
		t.Errorf("a header line has %d octets, more than 78", got.LongestHeaderLine)
	}
	checkText(t, "text", got.Text, l.text)
	checkText(t, "html", got.HTML, l.shown(got.Attachments))
	l.checkFiles(t, got.Attachments)
}

// shown returns the HTML with the content ids of the inline files instead of
// their names.
func (l letter) shown(got []storedAttachment) string {
	html := l.html
	for i, f := range l.files {
		if f.inline && i < len(got) && got[i].ContentID != nil {
			html = strings.ReplaceAll(html, "cid:"+filepath.Base(f.path), "cid:"+strings.Trim(*got[i].ContentID, "<>"))
		}
	}
	return html
}

// checkText compares a text, ignoring the line ends of the Maildir.
func checkText(t *testing.T, what string, got *string, want string) {
	t.Helper()
	if got == nil {
		t.Errorf("no %s arrived", what)
		return
	}
	if arrived, sent := unixLines(*got), unixLines(want); arrived != sent {
		t.Errorf("the %s arrived as\n%q, want\n%q", what, arrived, sent)
	}
}

func unixLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (l letter) checkFiles(t *testing.T, got []storedAttachment) {
	t.Helper()
	if len(got) != len(l.files) {
		t.Fatalf("%d files arrived, want %d: %+v", len(got), len(l.files), got)
	}
	for i, f := range l.files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		a := got[i]
		if a.Filename != filepath.Base(f.path) || a.Size != len(content) || a.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("file %d arrived as %q with %d octets, sum %s; want %q with %d, %x",
				i+1, a.Filename, a.Size, a.SHA256, filepath.Base(f.path), len(content), sum)
		}
		if f.contentType != "" && a.ContentType != f.contentType {
			t.Errorf("file %d arrived as %s, want %s", i+1, a.ContentType, f.contentType)
		}
		disposition := "attachment"
		if f.inline {
			disposition = "inline"
			// The HTML refers to it by an id that Yan created.
			if a.ContentID == nil || !strings.HasPrefix(*a.ContentID, "<image") {
				t.Errorf("the inline file %q has the content id %v", a.Filename, a.ContentID)
			}
		}
		if a.Disposition != disposition {
			t.Errorf("file %d arrived as %s, want %s", i+1, a.Disposition, disposition)
		}
	}
}
