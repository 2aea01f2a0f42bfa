package cli

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
)

// dry composes a message in its own folder, and returns it with the output on standard error.
func dry(t *testing.T, env map[string]string, stdin string, args ...string) (code int, m *mail.Message, errs string) {
	t.Helper()
	w, out, said := testEnv(env)
	w.Stdin, w.StderrWidth = strings.NewReader(stdin), 80
	code = Run(t.Context(), append([]string{"send", "-n", "-f", "me@example.org", "-t", "a@example.org", "--server", "smtps://127.0.0.1:1"}, args...), w)
	if code != command.ExitOK {
		return code, nil, said.String()
	}
	m, err := mail.ReadMessage(strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return code, m, said.String()
}

// part is a leaf part of a message.
type part struct {
	kind   string
	params map[string]string
	name   string
	body   string
}

func leaves(t *testing.T, header map[string][]string, body io.Reader) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(mail.Header(header).Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		b, err := io.ReadAll(decodedBody(mail.Header(header).Get("Content-Transfer-Encoding"), body))
		if err != nil {
			t.Fatal(err)
		}
		_, disposition, _ := mime.ParseMediaType(mail.Header(header).Get("Content-Disposition"))
		return []part{{kind, params, disposition["filename"], strings.ReplaceAll(string(b), "\r\n", "\n")}}
	}
	var list []part
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, leaves(t, p.Header, p)...)
	}
}

func parts(t *testing.T, m *mail.Message) []part { return leaves(t, m.Header, m.Body) }

func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const gbkText = "\xc4\xe3\xba\xc3\n" // 你好

// Files of recipients and calendars may use legacy charsets, too.
func TestCharsetOfRecipientsAndInvitations(t *testing.T) {
	t.Parallel()
	name := strings.TrimSpace(gbkText)
	dir := inFolder(t, map[string]string{"to.txt": name + " <a@example.org>\n", "cc.txt": name + " <c@example.org>\n",
		"i.ics": "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:" + name + "\nEND:VEVENT\nEND:VCALENDAR\n"})
	args := []string{"--lang", "en", "--to-file", filepath.Join(dir, "to.txt"), "--cc-file", filepath.Join(dir, "cc.txt"), "--invite", filepath.Join(dir, "i.ics")}
	code, m, errs := dry(t, nil, "", append(args, "--charset", "gbk")...)
	if code != command.ExitOK {
		t.Fatalf("exit status %d\n%s", code, errs)
	}
	var words mime.WordDecoder
	for field, want := range map[string]string{"To": "<a@example.org>", "Cc": "<c@example.org>", "Subject": ""} {
		got, err := words.DecodeHeader(m.Header.Get(field))
		if err != nil || !strings.Contains(got, "你好") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, %v", field, got, err)
		}
	}
	for _, flag := range []string{"--to-file", "--invite"} {
		at := slices.Index(args, flag)
		code, _, errs := dry(t, nil, "", "--lang", "en", flag, args[at+1])
		if code != command.ExitData || !strings.Contains(errs, "Name its charset: --charset gbk") {
			t.Errorf("%s: exit status %d\n%s", flag, code, errs)
		}
	}
}

// Text in another charset is converted, whichever flag or stream it comes from.
func TestCharsets(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"gbk.txt": gbkText, "gbk.html": "<meta charset=gbk><p>" + gbkText, "plain.html": "<p>" + gbkText})
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, tt := range []struct {
		name, lang, stdin string
		args              []string
		want, said        string
	}{
		{"a file", "", "", []string{"--body-file", file("gbk.txt"), "--charset", "gbk"}, "你好\n", ""},
		{"a pipe", "", gbkText, []string{"--charset", "cp936"}, "你好\n", ""},
		{"a pipe by name", "", gbkText, []string{"--body-file", "-", "--charset", "GB2312"}, "你好\n", ""},
		{"the locale", "zh_CN.GBK", gbkText, nil, "你好\n", "standard input was read as GBK; use --charset if that is wrong."},
		{"UTF-8 in another locale", "zh_CN.GBK", "你好\n", nil, "你好\n", ""},
		{"a page that says it", "", "", []string{"--html-file", file("gbk.html")}, "你好\n", ""},
		{"a page", "", "", []string{"--html-file", file("plain.html"), "--charset", "gbk"}, "你好\n", ""},
		{"a file is no pipe", "zh_CN.GBK", "", []string{"--body-file", file("gbk.txt")}, "", "the text is not UTF-8"},
		{"a pipe of nothing known", "en_US.UTF-8", gbkText, nil, "", "--charset gbk"},
		{"another charset", "", gbkText, []string{"--charset", "utf-8"}, "", "the text is not in utf-8"},
		{"unknown charset", "", gbkText, []string{"--charset", "klingon"}, "", `unknown charset "klingon"`},
		{"raw", "", "", []string{"--raw", "--charset", "gbk"}, "", "--charset can't be used with --raw"},
	} {
		// --lang en: all locales print English.
		code, m, errs := dry(t, map[string]string{"LANG": tt.lang}, tt.stdin, append([]string{"--lang", "en"}, tt.args...)...)
		if (code == command.ExitOK) != (tt.want != "") || !strings.Contains(errs, tt.said) {
			t.Errorf("%s: exit status %d\n%s", tt.name, code, errs)
			continue
		}
		if code != command.ExitOK {
			continue
		}
		list := parts(t, m)
		if list[0].body != tt.want || list[0].params["charset"] != "utf-8" {
			t.Errorf("%s: %+v", tt.name, list[0])
		}
		if len(list) > 1 && (!strings.Contains(list[1].body, "你好") || strings.Contains(list[1].body, "gbk")) {
			t.Errorf("%s: %+v", tt.name, list[1])
		}
	}
}

func TestAttachUnderAnotherName(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"data": "姓名,值\n", "gbk.csv": gbkText, "odd;name=x.txt": "odd", "a;b.txt": "semicolon"})
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, tt := range []struct{ value, kind, charset, name string }{
		{file("data"), "text/plain", "utf-8", "data"},
		{file("data") + ";name=报告.csv;type=text/csv", "text/csv", "utf-8", "报告.csv"},
		{file("data") + ";name=报告.csv", "text/csv", "utf-8", "报告.csv"},
		{file("data") + ";type=application/json", "application/json", "", "data"},
		{file("gbk.csv"), "application/octet-stream", "", "gbk.csv"},
		{file("gbk.csv") + ";type=text/csv;charset=gbk", "text/csv", "gbk", "gbk.csv"},
		{file("gbk.csv") + ";charset=gbk", "text/csv", "gbk", "gbk.csv"},
		{file("odd;name=x.txt"), "text/plain", "utf-8", "odd;name=x.txt"},
		{file("odd;name=x.txt") + ";name=y.txt", "text/plain", "utf-8", "y.txt"},
		{file("a;b.txt"), "text/plain", "utf-8", "a;b.txt"},
		{"-;name=stdin.csv", "text/csv", "utf-8", "stdin.csv"},
	} {
		code, m, errs := dry(t, nil, "值\n", "-b", "x", "-a", tt.value)
		if code != command.ExitOK {
			t.Errorf("%s: exit status %d\n%s", tt.value, code, errs)
			continue
		}
		if p := parts(t, m)[1]; p.kind != tt.kind || p.params["charset"] != tt.charset || p.name != tt.name {
			t.Errorf("%s: %+v", tt.value, p)
		}
	}
	for value, want := range map[string]int{file("gone") + ";name=x": command.ExitNoInput, file("data") + ";nmae=x": command.ExitNoInput, file("data") + ";name=a/b": command.ExitData, file("data") + ";type=csv": command.ExitData} {
		if code, _, errs := dry(t, nil, "", "-b", "x", "-a", value); code != want {
			t.Errorf("%s: exit status %d\n%s", value, code, errs)
		}
	}
}

const meetingICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:周会\r\nLOCATION:三楼\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestInvite(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"会议.ics": meetingICS, "plain.ics": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no.ics": "hello"})
	_, m, errs := dry(t, nil, "", "--html", "<p>come</p>", "--invite", filepath.Join(dir, "会议.ics"))
	if m == nil {
		t.Fatal(errs)
	}
	list := parts(t, m)
	var kinds []string
	for _, p := range list {
		kinds = append(kinds, p.kind)
	}
	if got := strings.Join(kinds, " "); got != "text/plain text/html text/calendar application/ics" {
		t.Fatal(got)
	}
	if p := list[2]; p.params["method"] != "REQUEST" || p.params["charset"] != "utf-8" || !strings.Contains(p.body, "SUMMARY:周会") {
		t.Errorf("%+v", p)
	}
	if list[3].name != "会议.ics" || list[0].body != "come\n" {
		t.Errorf("%+v", list)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "周会" {
		t.Errorf("subject %q, %v", subject, err)
	}
	_, m, errs = dry(t, nil, meetingICS, "-s", "hi", "--invite", "-")
	if m == nil {
		t.Fatal(errs)
	}
	if list := parts(t, m); list[0].body != "周会\n\n三楼\n" || m.Header.Get("Subject") != "hi" || list[2].name != "invite.ics" {
		t.Errorf("%+v", list)
	}
	for name, want := range map[string]string{"plain.ics": "has no METHOD", "no.ics": "is not a calendar", "gone.ics": "no such file"} {
		if code, _, errs := dry(t, nil, "", "-b", "x", "--invite", filepath.Join(dir, name)); code == command.ExitOK || !strings.Contains(errs, want) {
			t.Errorf("%s: exit status %d\n%s", name, code, errs)
		}
	}
}

// HTML gets a text alternative, and images are checked.
func TestHTMLHasTextAndPictures(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"图 1.png": "\x89PNG\r\n\x1a\n", "idle.png": "\x89PNG\r\n\x1a\n"})
	_, m, errs := dry(t, nil, "", "--html", `<p>see <a href="https://example.com/">here</a> <img src="cid:图 1.png"> <img src='cid:gone.png'>`,
		"--inline", filepath.Join(dir, "图 1.png"), "--inline", filepath.Join(dir, "idle.png"))
	if m == nil {
		t.Fatal(errs)
	}
	list := parts(t, m)
	if list[0].kind != "text/plain" || list[0].body != "see here <https://example.com/>\n" || strings.Contains(list[1].body, "cid:图") {
		t.Errorf("%+v", list)
	}
	for _, want := range []string{"The HTML refers to cid:gone.png, but no --inline provides it", "The HTML does not show idle.png"} {
		if !strings.Contains(errs, want) {
			t.Errorf("not said: %s\n%s", want, errs)
		}
	}
	if _, m, _ := dry(t, nil, "", "--html", "<p>x", "-b", ""); m == nil || !strings.HasPrefix(m.Header.Get("Content-Type"), "text/html") {
		t.Error("an empty text was asked for, and is not empty")
	}
}

// Every field with its own flag is refused in --header, with the name of the flag. Errors in these
// flags name the flag, too.
func TestFieldsWithFlags(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	send := command.WithSubcommands(a.rootCommand(""))
	flags := map[string]bool{}
	for _, cmd := range send {
		if cmd.Name() == "send" {
			for _, field := range []string{"From", "To", "Cc", "Bcc", "Subject", "Reply-To", "Sender", "Date", "Message-ID"} {
				flags[field] = cmd.Flags().Lookup(strings.ToLower(field)) != nil
			}
		}
	}
	for field, there := range flags {
		code, _, errs := dry(t, nil, "", "-b", "x", "--header", field+": x")
		if want := "use --" + strings.ToLower(field) + " for this"; !there || code != command.ExitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: flag %v, exit status %d\n%s", field, there, code, errs)
		}
	}
	if len(flags) != 9 {
		t.Errorf("%d fields", len(flags))
	}
	for flag, value := range map[string]string{"--sender": "nobody", "--date": "some day", "--message-id": "1"} {
		if code, _, errs := dry(t, nil, "", "-b", "x", flag, value); code != command.ExitUsage || !strings.Contains(errs, flag) {
			t.Errorf("%s: exit status %d\n%s", flag, code, errs)
		}
	}
	_, m, errs := dry(t, nil, "", "-b", "x", "--sender", "雁 <post@example.org>", "--date", "Tue, 01 Dec 2026 09:30:00 +0800", "--message-id", "1@example.org")
	if m == nil {
		t.Fatal(errs)
	}
	date, err := m.Header.Date()
	if err != nil || !date.Equal(time.Date(2026, 12, 1, 1, 30, 0, 0, time.UTC)) || m.Header.Get("Message-Id") != "<1@example.org>" ||
		!strings.Contains(m.Header.Get("Sender"), "<post@example.org>") || !strings.Contains(errs, "MAIL FROM:<post@example.org>") {
		t.Errorf("%v %v\n%s", m.Header, err, errs)
	}
}

func decodedBody(encoding string, body io.Reader) io.Reader {
	switch encoding {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}
