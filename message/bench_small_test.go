package message

import (
	"strings"
	"testing"
)

// smallMessage is what most mail is: some text, one recipient, a Chinese subject.
func smallMessage() *Message {
	return &Message{From: "me@example.com", To: []string{"friend@example.net"}, Subject: "第 1 封测试邮件",
		Text: strings.Repeat("The quick brown fox jumps over the lazy dog, and then once more.\r\n", 5000/66)}
}

func BenchmarkComposeSmall(b *testing.B) { benchmark(b, smallMessage()) }
