package message

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallMessage returns a typical message: 5 kB of text, one recipient, a Chinese subject.
func smallMessage() *Message {
	return &Message{From: "me@example.com", To: []string{"friend@example.net"}, Subject: "第 1 封测试邮件",
		Text: strings.Repeat("The quick brown fox jumps over the lazy dog, and over the wall as well.\r\n", 68)}
}

// smallMessageAllocations is the maximum number of allocations of Compose, WriteTo and Close for
// a smallMessage: the draft, its mailboxes, the header, two for the Message-ID, the entity, the
// Content, its two segments with their list, and the writers. The text is not copied.
const smallMessageAllocations = 12

func TestSmallMessageAllocations(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates on its own; the number holds without it")
	}
	m := smallMessage()
	got := testing.AllocsPerRun(100, func() {
		c, err := Compose(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.WriteTo(io.Discard); err != nil || n < 5000 {
			t.Fatal(n, err)
		}
		c.Close()
	})
	if got > smallMessageAllocations {
		t.Errorf("%v allocations, stated are %d", got, smallMessageAllocations)
	}
}

func BenchmarkComposeSmall(b *testing.B) { benchmark(b, smallMessage()) }

func BenchmarkComposeChinese(b *testing.B) {
	m := smallMessage()
	m.Text = strings.Repeat("这是第一封测试邮件，请不要回复。\r\n", 100)
	benchmark(b, m)
}

func BenchmarkComposeText(b *testing.B) {
	m := &Message{From: "雁 <me@example.com>", To: []string{"李四 <b@example.com>"}, Subject: "第一封测试邮件", Text: "Hello World\n"}
	benchmark(b, m)
}

func BenchmarkComposeQuotedPrintable(b *testing.B) {
	m := &Message{From: "me@example.com", To: []string{"b@example.com"},
		Text: string(bytes.Repeat([]byte("Viele Grüße aus Köln, und bis bald = später.\n"), 200))}
	benchmark(b, m)
}

func BenchmarkComposeAttachment(b *testing.B) {
	for _, size := range []int{5 << 10, 50 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			benchmark(b, &Message{From: "me@example.com", To: []string{"b@example.com"}, Text: "Hello World\n",
				Attachments: []Attachment{Bytes("a.bin", make([]byte, size))}})
		})
	}
}

// BenchmarkAttachmentFile measures the way from a file in the page cache to a writer that
// discards everything; MB/s counts octets of the file.
func BenchmarkAttachmentFile(b *testing.B) {
	const size = 256 << 20
	path := filepath.Join(b.TempDir(), "a.bin")
	if err := os.WriteFile(path, bytes.Repeat([]byte("0123456789abcdef"), size/16), 0o600); err != nil {
		b.Fatal(err)
	}
	c, err := Compose(&Message{From: "me@example.com", To: []string{"b@example.com"}, Attachments: []Attachment{File(path)}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	binary, ok := c.Binary()
	if !ok {
		b.Fatal("it has no binary form")
	}
	for name, form := range map[string]*Content{"base64": c, "binary": binary} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := form.WriteTo(struct{ io.Writer }{io.Discard}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadRaw(b *testing.B) {
	raw := append([]byte("From: me@example.com\r\nTo: b@example.com\r\n\r\n"), appendBase64(nil, make([]byte, 10<<20))...)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		c, err := ReadRaw(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmark(b *testing.B, m *Message) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := Compose(m)
		if err != nil {
			b.Fatal(err)
		}
		n, err := c.WriteTo(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
		c.Close()
	}
}
