package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/smtpclient"
)

func TestTranscript(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp(i18n.Chinese)
	show := a.TraceSession(out, 0)
	for _, e := range []yan.Event{
		{Direction: smtpclient.Connected, Text: "127.0.0.1:465"},
		{Direction: smtpclient.Secured, Text: "TLS 1.3", Wait: 1500 * time.Microsecond},
		{Direction: smtpclient.Secured, Handshake: &smtpclient.Handshake{Version: "TLS 1.3", CipherSuite: "X", Name: "smtp.qq.com"}},
		{Direction: smtpclient.Secured, Handshake: &smtpclient.Handshake{Version: "TLS 1.3", CipherSuite: "X"}},
		{Direction: smtpclient.Received, Text: "220 hi", Wait: 20 * time.Millisecond},
		{Direction: smtpclient.Sent, Text: "EHLO x"},
		{Direction: smtpclient.Received, Text: "550 no"},
		{Direction: smtpclient.MessageSent, Text: "12", Wait: time.Microsecond},
	} {
		show(e)
	}
	want := "          · 已连接 127.0.0.1:465\n   1.5 ms · 已加密：TLS 1.3\n          · 已加密：TLS 1.3，X，smtp.qq.com 的证书已验证\n          · 已加密：TLS 1.3，X，证书与指纹相符\n    20 ms ← 220 hi\n          → EHLO x\n" +
		"          ← 550 no\n     1 µs · 邮件，12 字节\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	out.Reset()
	a.Color = true
	a.TraceSession(out, 80)(yan.Event{Direction: smtpclient.Received, Text: "550 no"})
	if !strings.Contains(out.String(), "\x1b[31m←") {
		t.Errorf("a refusal is not red: %q", out)
	}
}
