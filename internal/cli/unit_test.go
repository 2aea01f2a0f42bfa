package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/secret/secrettest"
	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// world is a machine without terminal, environment and input; the result of a
// run is in the two buffers.
func world(env map[string]string) (World, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return World{System: System{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv:         func(name string) string { return env[name] },
		SystemLanguage: func() string { return "" },
		Now:            func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
		After:          func(time.Duration) <-chan time.Time { return nil }}, WorkFactor: secrettest.WorkFactor}, &out, &errs
}

func testApp(lang words.Language) (*app, *bytes.Buffer, *bytes.Buffer) {
	w, out, errs := world(nil)
	return &app{System: w.System, ctx: context.Background(), Words: words.In(lang), origin: map[string]string{}, lists: map[*cobra.Command]func() []list{}, toldProxy: new(sync.Once)}, out, errs
}

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB",
		52_428_800: "52.4 MB", 999_950_000: "1.00 GB", 3_210_000_000: "3.21 GB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0 µs", 999 * time.Microsecond: "999 µs", 1500 * time.Microsecond: "1.5 ms",
		42 * time.Millisecond: "42 ms", 2500 * time.Millisecond: "2.5 s"} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	t.Parallel()
	en, _, _ := testApp(words.English)
	zh, _, _ := testApp(words.Chinese)
	for d, want := range map[time.Duration][2]string{
		0:                               {"1 second", "1 秒"},
		1500 * time.Millisecond:         {"2 seconds", "2 秒"},
		time.Minute:                     {"1 minute", "1 分钟"},
		90 * time.Second:                {"1 min 30 s", "1 分 30 秒"},
		2 * time.Minute:                 {"2 minutes", "2 分钟"},
		10*time.Minute + time.Second:    {"11 minutes", "11 分钟"},
		time.Hour:                       {"1 hour", "1 小时"},
		90 * time.Minute:                {"1 h 30 min", "1 小时 30 分"},
		24 * time.Hour:                  {"24 hours", "24 小时"},
		6*time.Hour + 20*time.Minute:    {"7 hours", "7 小时"},
		72 * time.Hour:                  {"3 days", "3 天"},
		59*time.Minute + 59*time.Second: {"1 hour", "1 小时"},
	} {
		if got := [2]string{en.roughly(d), zh.roughly(d)}; got != want {
			t.Errorf("roughly(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"": 0, "abc": 3, "邮箱": 4, "a邮": 3, "（）": 4, "é": 1, "e\u0301": 1, "→": 1, "µs": 2} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestTableAlignsChinese(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp(words.Chinese)
	a.table([][]string{{"编号", "名称", "x"}, {"qq", "QQ邮箱", "y"}, {"netease163", "网", ""}})
	want := "编号        名称    x\nqq          QQ邮箱  y\nnetease163  网\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two three", 8, []string{"one two", "three"}},
		{"exactly ten", 11, []string{"exactly ten"}},
		{"averyverylongword x", 5, []string{"averyverylongword", "x"}},
		{"邮箱服务商", 6, []string{"邮箱服", "务商"}},
		{"邮箱服，务商", 6, []string{"邮箱", "服，务", "商"}}, // no line begins with a comma
		{"邮（箱）服务", 4, []string{"邮", "（箱）", "服务"}}, // nor ends with an opening bracket
		{"用 --to 地址", 7, []string{"用 --to", "地址"}},
		{"在server上", 4, []string{"在", "server", "上"}},
	} {
		if got := wrap(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	list := []string{"send", "sandbox", "subject", "password", "to"}
	for word, want := range map[string]string{"sned": "send", "sandbx": "sandbox", "subjct": "subject", "xyz": "", "": "", "passwort": "password"} {
		if got := nearest(word, list); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDecodeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "\ufeffbom": "bom", "\xff\xfeh\x00i\x00": "hi", "\xfe\xff\x00h\x00i": "hi",
		"\xff\xfe\x60\x4f": "你", "\xfc": "\xfc", "": "",
	} {
		if got := decodeText([]byte(in)); got != want {
			t.Errorf("decodeText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPrintableURLHidesWhatMayBeAPassword(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"smtps:me:secret@host", "smtps:/me:secret@host", "me:secret@host", "qq:secret@x"} {
		if got := printableURL(s); strings.Contains(got, "secret") {
			t.Errorf("printableURL(%q) = %q", s, got)
		}
	}
	if got := printableURL("qqq"); got != "qqq" {
		t.Errorf("got %q", got)
	}
}

func TestWorse(t *testing.T) {
	t.Parallel()
	inOrder := []int{exitOK, exitTemporary, exitData, exitNoUser, exitUnavailable, exitIO, exitProtocol, exitAuth, exitPartial, exitUnknown}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if got := worse(a, b); got != inOrder[max(i, j)] {
				t.Errorf("worse(%d, %d) = %d", a, b, got)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	a, _, errs := testApp(words.English)
	now := time.Unix(0, 0)
	a.Now = func() time.Time { return now }
	a.StderrWidth = 80
	for name, s := range map[string]*sendFlags{"quiet": {quiet: true}, "json": {json: true}, "transcript": {transcript: true},
		"quit": {serverFlags: serverFlags{quitAfter: "rcpt"}}} {
		b := a.progress(s, &job{size: 5_000_000})
		b.set(1, 5_000_000)
		b.clear()
		if errs.Len() > 0 {
			t.Errorf("with %s: drawn %q", name, errs)
		}
	}
	if small := a.progress(&sendFlags{}, &job{size: 1_000_000}); small.a != nil {
		t.Error("a small message has a bar")
	}
	b := a.progress(&sendFlags{}, &job{size: 4_000_000})
	steps := []struct {
		after time.Duration
		sent  int64
		want  string // "" for not drawn
	}{
		{0, 0, "░░░░░░░░░░░░░░░░░░░░░░░░   0%  0 B / 4.0 MB"},
		{50 * time.Millisecond, 500_000, ""},
		{50 * time.Millisecond, 1_000_000, "██████░░░░░░░░░░░░░░░░░░  25%  1.0 MB / 4.0 MB"},
		{1900 * time.Millisecond, 2_000_000, "████████████░░░░░░░░░░░░  50%  2.0 MB / 4.0 MB  1.0 MB/s  2 seconds left"},
		{0, 4_000_000, "████████████████████████ 100%  4.0 MB / 4.0 MB  waiting for the server"},
	}
	for _, step := range steps {
		errs.Reset()
		now = now.Add(step.after)
		b.set(step.sent, 4_000_000)
		want := ""
		if step.want != "" {
			want = "\r" + step.want + "\x1b[K"
		}
		if errs.String() != want {
			t.Errorf("at %d: %q, want %q", step.sent, errs, want)
		}
	}
	errs.Reset()
	b.clear()
	if errs.String() != "\r\x1b[K" {
		t.Errorf("clear: %q", errs)
	}
	for _, width := range []int{1, 4, 20, 30, 40, 60} {
		a.StderrWidth = width
		if got := columns(b.line(2_000_000, 4_000_000, 2*time.Second)); got > max(width, 4) {
			t.Errorf("%d columns on a terminal of %d", got, width)
		}
	}
}

func TestTranscript(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp(words.Chinese)
	show := a.transcript(out, 0)
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
	want := "          · 已连接 127.0.0.1:465\n   1.5 ms · 已加密：TLS 1.3\n          · 已加密：TLS 1.3，X，smtp.qq.com 的证书已验证\n          · 已加密：TLS 1.3，X，证书是指定的那一个\n    20 ms ← 220 hi\n          → EHLO x\n" +
		"          ← 550 no\n     1 µs · 邮件，12 字节\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	out.Reset()
	a.color = true
	a.transcript(out, 80)(yan.Event{Direction: smtpclient.Received, Text: "550 no"})
	if !strings.Contains(out.String(), "\x1b[31m←") {
		t.Errorf("a refusal is not red: %q", out)
	}
}

// The forms of a server that the help lists are those that are understood.
func TestServerFormsAreThoseOfTransport(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(words.English)
	var listed []string
	for _, e := range a.serverForms().entries[1:] {
		listed = append(listed, e.term)
	}
	var known []string
	for _, s := range transport.Schemes() {
		known = append(known, strings.Fields(s)[0])
	}
	if !slices.Equal(listed, known) {
		t.Errorf("the help lists %q, transport knows %q", listed, known)
	}
}

func TestExamplesFitTheShell(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(words.English)
	if got, want := a.withVariable("A", "b", "yan send"), "A=b yan send"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	a.Windows = true
	if got, want := a.withVariable("A", "b", "yan send"), `$env:A="b"; yan send`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSystemProxy(t *testing.T) {
	t.Parallel()
	const proxy = "socks5://127.0.0.1:1080"
	for _, test := range []struct {
		env  map[string]string
		host string
		want string
	}{
		{nil, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy}, "smtp.example.org", proxy},
		{map[string]string{"all_proxy": proxy}, "smtp.example.org", proxy},
		{map[string]string{"ALL_PROXY": proxy}, "127.0.0.1", ""},
		{map[string]string{"ALL_PROXY": proxy}, "localhost", ""},
		{map[string]string{"ALL_PROXY": proxy}, "::1", ""},
		{map[string]string{"ALL_PROXY": proxy, "NO_PROXY": ".example.org"}, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy, "no_proxy": "other.example, smtp.example.org"}, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy, "NO_PROXY": "other.example"}, "smtp.example.org", proxy},
	} {
		a, _, _ := testApp(words.English)
		a.Getenv = func(name string) string { return test.env[name] }
		got, err := a.systemProxy(transport.Server{Host: test.host, Port: 465})
		if err != nil || got != test.want {
			t.Errorf("%v, %s: %q %v, want %q", test.env, test.host, got, err, test.want)
		}
	}
}

func TestRoffEscapes(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(words.English)
	for in, want := range map[string]string{".TH x": `\&.TH x`, "'x": `\(aqx`, `a\b`: `a\eb`, "--to": `\-\-to`, "a.b": "a.b"} {
		if got := a.line(in); got != want {
			t.Errorf("line(%q) = %q, want %q", in, got, want)
		}
	}
}

// Postfix lets a client that did not log in come as far as RCPT.
func TestLoginWantedAtRcptIsAFailedLogin(t *testing.T) {
	t.Parallel()
	to, err := smtp.ParseAddress("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied":                          exitAuth,
		"550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table": exitNoUser,
	} {
		reply, err := parseReply(text)
		if err != nil {
			t.Fatal(err)
		}
		o := smtp.Outcome{Recipient: to, Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: reply}
		if got := exitStatus(yan.Result{Recipients: []smtp.Outcome{o}}, ""); got != want {
			t.Errorf("%s: exit status %d, want %d", text, got, want)
		}
	}
}
