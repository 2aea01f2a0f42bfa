package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"testing"
)

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

// The two ways to base64: blocks of whole lines, and the standard library's
// encoder with a writer behind it that breaks the lines.
func BenchmarkBase64(b *testing.B) {
	data := make([]byte, 1<<20)
	b.Run("blocks", func(b *testing.B) {
		src := dataSource("data", data)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			o := &output{w: io.Discard, size: base64Size(src.size), buf: make([]byte, 0, outputBlock)}
			if err := (base64Body{src}).emit(o); err != nil {
				b.Fatal(err)
			}
			if err := o.finish(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoder", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			e := base64.NewEncoder(base64.StdEncoding, &lineBreaker{w: io.Discard})
			if _, err := io.Copy(e, struct{ io.Reader }{bytes.NewReader(data)}); err != nil {
				b.Fatal(err)
			}
			e.Close()
		}
	})
}

// lineBreaker puts a CRLF after every 76 octets.
type lineBreaker struct {
	w   io.Writer
	col int
}

func (l *lineBreaker) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), base64Line-l.col)
		if _, err := l.w.Write(p[:n]); err != nil {
			return 0, err
		}
		p = p[n:]
		if l.col += n; l.col == base64Line {
			l.col = 0
			if _, err := l.w.Write([]byte("\r\n")); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}
