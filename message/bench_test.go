package message

import (
	"bytes"
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
