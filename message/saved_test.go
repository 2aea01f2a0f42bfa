package message

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

const savedText = "From: x@y.z\r\nSubject: saved\r\n\r\nhello\r\n"

// composeSaved attaches a saved message and returns its part.
func composeSaved(t *testing.T, a Attachment) (*Content, leaf) {
	t.Helper()
	c := compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "t", Attachments: []Attachment{a}})
	for _, l := range parse(t, write(t, c)).leaves {
		if l.disposition == "attachment" {
			return c, l
		}
	}
	t.Fatal("the attachment is not there")
	return nil, leaf{}
}

func TestSavedMessageIsAttachedAsOne(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a line\n", 20_000)
	tests := []struct {
		name, data string
		want       string // "" if it stays a file
		encoding   string
	}{
		{"crlf", savedText, savedText, "7bit"},
		{"lf", strings.ReplaceAll(savedText, "\r\n", "\n"), savedText, "7bit"},
		{"cr", strings.ReplaceAll(savedText, "\r\n", "\r"), savedText, "7bit"},
		{"long", "From: x@y.z\n\n" + long, "From: x@y.z\r\n\r\n" + strings.ReplaceAll(long, "\n", "\r\n"), "7bit"},
		{"no end of line", strings.TrimSuffix(savedText, "\r\n"), strings.TrimSuffix(savedText, "\r\n"), "7bit"},
		{"of an mbox", "From x@y.z Mon Jan  1 10:00:00 2024\n" + savedText, savedText, "7bit"},
		{"with a mark", "\ufeff" + savedText, savedText, "7bit"},
		{"8-bit body", savedText + "你好\r\n", savedText + "你好\r\n", "8bit"},
		{"8-bit header", "Subject: 你好\r\n\r\nx\r\n", "", "base64"},
		{"long line", savedText + strings.Repeat("x", 1000), "", "base64"},
		{"NUL", savedText + "\x00", "", "base64"},
		{"no message", "just text\n", "", "base64"},
		{"CR CR LF", "From: x@y.z\r\r\nSubject: s\r\r\n", "", "base64"},
		{"empty", "", "", "base64"},
	}
	for _, tt := range tests {
		for how, a := range map[string]Attachment{"data": Bytes("a.eml", []byte(tt.data)), "pipe": Reader("a.eml", io.MultiReader(strings.NewReader(tt.data)))} {
			c, l := composeSaved(t, a)
			if l.encoding != tt.encoding || c.EightBit() != (tt.encoding == "8bit") {
				t.Errorf("%s (%s): %s, EightBit %v", tt.name, how, l.encoding, c.EightBit())
			}
			if tt.want == "" {
				if l.contentType != octetStream || string(l.body) != tt.data {
					t.Errorf("%s (%s): %s of %q", tt.name, how, l.contentType, l.body)
				}
				continue
			}
			if l.contentType != savedMessageType || string(l.body) != tt.want {
				t.Errorf("%s (%s): %s of %q", tt.name, how, l.contentType, l.body)
			}
		}
	}
}

// For a server without 8BITMIME a saved message with 8-bit text is sent as a file, since it must
// not be encoded; its octets are the same.
func TestSavedEightBitMessageHasASevenBitForm(t *testing.T) {
	t.Parallel()
	data := savedText + "你好\r\n"
	c, _ := composeSaved(t, Bytes("a.eml", []byte(data)))
	seven, ok := c.SevenBit()
	if !ok || seven.EightBit() {
		t.Fatal("no 7-bit form")
	}
	wire := write(t, seven)
	if l := parse(t, wire).leaves[1]; l.contentType != octetStream || string(l.body) != data || !isASCII(string(wire)) {
		t.Errorf("%s of %q", l.contentType, l.body)
	}
	if l := parse(t, write(t, c)).leaves[0]; l.encoding != "7bit" {
		t.Errorf("the text is in %s", l.encoding)
	}
}

func FuzzSavedMessage(f *testing.F) {
	f.Add([]byte(savedText))
	f.Add([]byte("A:\n\n\r\r\n\xff\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		src := dataSource("x", data)
		saved, err := openSaved(src)
		if err != nil {
			t.Fatal(err)
		}
		if saved == nil {
			return
		}
		var b bytes.Buffer
		o := &output{w: &b, size: saved.size()}
		if err := saved.emitTo(o); err != nil {
			t.Fatal(err)
		}
		if err := o.finishOutput(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\r\n") {
			if strings.ContainsAny(line, "\r\n\x00") || len(line) > maxEightBitLine {
				t.Fatalf("line %q", line)
			}
		}
	})
}
