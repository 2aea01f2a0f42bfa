package repair_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func now() time.Time { return time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC) }

// form repairs the form only.
func form() repair.Options { return repair.Options{Now: now()} }

// rewriting are the options of an account that may use its own address only.
func rewriting(t testing.TB) repair.Options {
	t.Helper()
	account := message.Mailbox{Name: "Account", Address: address(t, "me@corp.example")}
	ops := address(t, "ops@corp.example")
	return repair.Options{
		Now: now(),
		From: func(from *message.Mailbox) *message.Mailbox {
			if from != nil && from.Address.Equal(account.Address) {
				return nil
			}
			return &account
		},
		ReplyTo: func(a smtp.Address) bool { return strings.Contains(a.Domain(), ".") },
		Local:   func(name string) (smtp.Address, bool) { return ops, name == "root" || name == "user" },
		IsLocal: func(domain string) bool { return domain == "localhost" },
	}
}

// received adds a Received field.
func received(o repair.Options) repair.Options {
	o.Received = "by host; Tue, 1 Dec 2026 08:00:00 +0000"
	return o
}

// read repairs a message.
func read(t testing.TB, in string, o repair.Options) *repair.Message {
	t.Helper()
	m, err := repair.Read(strings.NewReader(in), int64(len(in)), o)
	if err != nil {
		t.Fatalf("%.200q: %v", in, err)
	}
	return m
}

// wire returns the octets of a repaired message, and checks that they are valid.
func wire(t testing.TB, m *repair.Message) string {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != m.Size() {
		t.Fatalf("the size is %d, but %d octets were written: %q", m.Size(), len(b), b)
	}
	again, err := message.ReadRaw(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("it is not a valid message: %v: %q", err, b)
	}
	if again.EightBit() != m.EightBit() || again.NeedsSMTPUTF8() != m.NeedsSMTPUTF8() {
		t.Fatalf("8-bit %v and SMTPUTF8 %v, but the message says %v and %v: %q", again.EightBit(), again.NeedsSMTPUTF8(), m.EightBit(), m.NeedsSMTPUTF8(), b)
	}
	return string(b)
}

// rest are the fields without which Date, Message-ID, MIME-Version and Content-Type would be added.
const rest = "Date: Tue, 1 Dec 2026 07:00:00 +0000\nMessage-ID: <1@corp.example>\nMIME-Version: 1.0\n"

const plainText = rest + "Content-Type: text/plain; charset=utf-8\n"

// crlf writes a text as a message is sent.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// Each rule changes what its text says, and nothing else. The header ends with plainText unless it says
// otherwise.
func TestRules(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1500)
	covered := map[repair.Change]bool{}
	for _, tt := range []struct {
		rules    string
		in, want string
		o        repair.Options
	}{
		{rules: "from-line", in: "From me Mon Nov 30 17:25:15 2026\nSubject: x\n" + plainText + "\ny\n", want: "Subject: x\n" + plainText + "\ny\n"},
		{rules: "from-line", in: "\ufeffSubject: x\n" + plainText + "\ny\n", want: "Subject: x\n" + plainText + "\ny\n"},
		{rules: "", in: "Subject: x\n" + plainText + "\nFrom me\n>From you\n", want: "Subject: x\n" + plainText + "\nFrom me\n>From you\n"},
		{rules: "no-header date message-id mime", in: "hello\nTo: x\n\nbye", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\nhello\nTo: x\n\nbye\n"},
		{rules: "no-header date message-id mime", in: "{\"a\": 1}\n", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\n{\"a\": 1}\n"},
		{rules: "no-header date message-id mime", in: " x: y\n", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\n x: y\n"},
		{rules: "from-line no-header date message-id mime", in: "\ufeffhello\n", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\nhello\n"},
		{rules: "date message-id mime", in: "", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\n"},
		{rules: "date message-id mime", in: "\nhello\n", want: "DATE\nID\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\nhello\n"},
		{rules: "header-end", in: "Subject: x\n" + plainText + "hello world\nTo: y\n", want: "Subject: x\n" + plainText + "\nhello world\nTo: y\n"},
		{rules: "", in: "Subject: x\n" + plainText, want: "Subject: x\n" + plainText + "\n"},
		{rules: "", in: "Subject: x\r\n" + plainText + "\r\na\r\nb\nc", want: "Subject: x\n" + plainText + "\na\nb\nc\n"},
		{rules: "line-ends", in: "Subject: x\n" + plainText + "\na\rb\r\n", want: "Subject: x\n" + plainText + "\na\nb\n"},
		{rules: "line-ends", in: "Subject: a\rBcc: b@example.com\n" + plainText + "\nx\n", want: "Subject: a Bcc: b@example.com\n" + plainText + "\nx\n"},
		{rules: "line-ends", in: strings.ReplaceAll("Subject: x\n"+plainText+"\na\nb\n", "\n", "\r\r\n"), want: "Subject: x\n" + plainText + "\na\nb\n"},
		{rules: "line-ends", in: strings.ReplaceAll("Subject: x\n"+plainText+"\na\nb\n", "\n", "\r"), want: "Subject: x\n" + plainText + "\na\nb\n"},
		{rules: "hidden-recipients", in: "To: a@b.example\nBCC : c@d.example,\n e@f.example\nresent-bcc: x\n" + plainText + "\nBcc: stays\n", want: "To: a@b.example\n" + plainText + "\nBcc: stays\n"},
		{rules: "mailbox-fields", in: "Return-Path: <x@y.example>\nDelivered-To: z\nStatus: RO\nX-UID: 7\n" + plainText + "\nx\n", want: plainText + "\nx\n"},
		{rules: "key", in: "Yan-Key: invoice 7\n" + plainText + "\nx\n", want: plainText + "\nx\n", o: repair.Options{TakeKey: true}},
		{rules: "", in: "Yan-Key: invoice 7\n" + plainText + "\nx\n", want: "Yan-Key: invoice 7\n" + plainText + "\nx\n"},
		{rules: "doubled-fields", in: "Subject: a\nTo: a@b.example\nSubject: b\nTo: c@d.example\nFrom: a@b.example\nFrom: b@b.example\nReceived: x\nReceived: y\n" + plainText + "\nx\n",
			want: "Subject: a\nTo: a@b.example, c@d.example\nFrom: a@b.example\nReceived: x\nReceived: y\n" + plainText + "\nx\n"},
		{rules: "empty-fields", in: "To:\nCc: ,\nReply-To: \nSubject:\n" + plainText + "\nx\n", want: "Subject:\n" + plainText + "\nx\n"},
		{rules: "field-names", in: "Subject : a\nX-Y:\n \n z\n" + plainText + "\nx\n", want: "Subject: a\nX-Y:\n z\n" + plainText + "\nx\n"},
		{rules: "addresses", in: "To: a@b.example; Q. Public <c@d.example>\n" + plainText + "\nx\n", want: "To: <a@b.example>, \"Q. Public\" <c@d.example>\n" + plainText + "\nx\n"},
		{rules: "field-text", in: "Subject: 你好\nFrom: 雁 <a@b.example>\n" + plainText + "\nx\n", want: "Subject: =?UTF-8?B?5L2g5aW9?=\nFrom: =?UTF-8?B?6ZuB?= <a@b.example>\n" + plainText + "\nx\n"},
		{rules: "field-text", in: "Subject: \xc4\xe3\xba\xc3\nTo: \xd1\xe3 <a@b.example>\n" + plainText + "\nx\n", want: "Subject: =?UTF-8?B?5L2g5aW9?=\nTo: =?UTF-8?B?6ZuB?= <a@b.example>\n" + plainText + "\nx\n"},
		{rules: "field-text", in: "Subject: na\xefve \xff\n" + plainText + "\nx\n", want: "Subject: =?UTF-8?B?bmHDr3ZlIMO/?=\n" + plainText + "\nx\n"},
		{rules: "field-text", in: "X-Priority: 高\nIn-Reply-To: <雁@b.example>\n" + plainText + "\nx\n",
			want: "X-Priority: =?utf-8?b?6auY?=\nIn-Reply-To: =?utf-8?b?POmbgUBiLmV4YW1wbGU+?=\n" + plainText + "\nx\n"},
		{rules: "field-text field-controls", in: "Subject: a\x00b\x1b[1m\n" + plainText + "\nx\n", want: "Subject: =?UTF-8?B?Ye+/vWLvv71bMW0=?=\n" + plainText + "\nx\n"},
		{rules: "field-length", in: "References:" + strings.Repeat(" <1234567890@b.example>", 50) + "\n" + plainText + "\nx\n",
			want: "References: <1234567890@b.example> <1234567890@b.example>\n" + strings.Repeat(" <1234567890@b.example> <1234567890@b.example> <1234567890@b.example>\n", 16) + plainText + "\nx\n"},
		{rules: "from", in: plainText + "\nx\n", want: "From: Account <me@corp.example>\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "from", in: "From: root\n" + plainText + "\nx\n", want: "From: root <me@corp.example>\n" + plainText + "X-Original-From: root\n\nx\n", o: rewriting(t)},
		{rules: "from", in: "From: root (Cron Daemon)\n" + plainText + "\nx\n", want: "From: Cron Daemon <me@corp.example>\n" + plainText + "X-Original-From: root (Cron Daemon)\n\nx\n", o: rewriting(t)},
		{rules: "from", in: "From: \"Web, Shop\" <www@host>\n" + plainText + "\nx\n", want: "From: \"Web, Shop\" <me@corp.example>\n" + plainText + "X-Original-From: \"Web, Shop\" <www@host>\n\nx\n", o: rewriting(t)},
		{rules: "field-text from", in: "From: 雁\n" + plainText + "\nx\n", want: "From: Account <me@corp.example>\n" + plainText + "X-Original-From: =?utf-8?b?6ZuB?=\n\nx\n", o: rewriting(t)},
		{rules: "", in: "From: me@corp.example\n" + plainText + "\nx\n", want: "From: me@corp.example\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "from reply-to", in: "From: Bob <bob@web.example>\n" + plainText + "\nx\n", want: "From: Bob <me@corp.example>\n" + plainText + "Reply-To: Bob <bob@web.example>\n\nx\n", o: rewriting(t)},
		{rules: "from", in: "From: Bob <bob@web.example>\nReply-To: c@d.example\n" + plainText + "\nx\n", want: "From: Bob <me@corp.example>\nReply-To: c@d.example\n" + plainText + "X-Original-From: Bob <bob@web.example>\n\nx\n", o: rewriting(t)},
		{rules: "full-name", in: "From: root\n" + plainText + "\nx\n", want: "From: CronDaemon <root>\n" + plainText + "\nx\n", o: repair.Options{FullName: "CronDaemon"}},
		{rules: "full-name", in: "From: a@b.example\n" + plainText + "\nx\n", want: "From: \"C. D.\" <a@b.example>\n" + plainText + "\nx\n", o: repair.Options{FullName: "C. D."}},
		{rules: "", in: "From: A <a@b.example>\n" + plainText + "\nx\n", want: "From: A <a@b.example>\n" + plainText + "\nx\n", o: repair.Options{FullName: "C. D."}},
		{rules: "resender", in: "Resent-To: a@b.example\nResent-From: Www <www@host>\nFrom: me@corp.example\n" + plainText + "\nx\n", want: "Resent-To: a@b.example\nResent-From: Www <me@corp.example>\nFrom: me@corp.example\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "sender", in: "From: me@corp.example\nSender: www@host\n" + plainText + "\nx\n", want: "From: me@corp.example\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "", in: "From: me@corp.example\nSender: me@corp.example\n" + plainText + "\nx\n", want: "From: me@corp.example\nSender: me@corp.example\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "local-names", in: "From: me@corp.example\nTo: root, a@b.example, nobody, Bob <user>, user@localhost\nReply-To: nobody\n" + plainText + "\nx\n",
			want: "From: me@corp.example\nTo: root <ops@corp.example>, a@b.example, nobody:;, Bob <ops@corp.example>,\n user <ops@corp.example>\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "local-names", in: "From: me@corp.example\nTo: team: root, nobody, a@b.example;\nCc: Me Too\n" + plainText + "\nx\n",
			want: "From: me@corp.example\nTo: team: root <ops@corp.example>, a@b.example;\nCc: \"Me Too\":;\n" + plainText + "\nx\n", o: rewriting(t)},
		{rules: "from received", in: "Subject: s\n" + plainText + "\nx\n", o: received(rewriting(t)),
			want: "Received: by host; Tue, 1 Dec 2026 08:00:00 +0000\nFrom: Account <me@corp.example>\nSubject: s\n" + plainText + "\nx\n"},
		{rules: "received", in: plainText + "\nx\n", want: "Received: from localhost by yan; Tue, 1 Dec 2026 08:00:00 +0000\n" + plainText + "\nx\n", o: repair.Options{Received: "from localhost by yan; Tue, 1 Dec 2026 08:00:00 +0000"}},
		{rules: "date", in: "Message-ID: <1@b.example>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n", want: "DATE\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n"},
		{rules: "date", in: "Date: 2026-12-01 08:00\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n",
			want: "DATE\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\nContent-Type: text/plain\nX-Original-Date: 2026-12-01 08:00\n\nx\n"},
		{rules: "message-id", in: "From: a@b.example\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n", want: "ID@b.example\nFrom: a@b.example\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n"},
		{rules: "message-id", in: "Message-ID: 1@b.example\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n", want: "Message-ID: <1@b.example>\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n"},
		{rules: "message-id", in: "Message-ID: no id\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n", want: "ID\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nx\n"},
		{rules: "mime", in: rest + "\nx\n", want: rest + "Content-Type: text/plain; charset=utf-8\n\nx\n"},
		{rules: "mime", in: "Date: Tue, 1 Dec 2026 07:00:00 +0000\nMessage-ID: <1@corp.example>\nContent-Type: text/html\n\nx\n", want: "Date: Tue, 1 Dec 2026 07:00:00 +0000\nMessage-ID: <1@corp.example>\nContent-Type: text/html\nMIME-Version: 1.0\n\nx\n"},
		{rules: "mime charset eight-bit", in: rest + "\nJürgen\n", want: rest + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nJ=C3=BCrgen\n"},
		{rules: "mime charset eight-bit", in: rest + "\n\xc4\xe3\xba\xc3\n", want: rest + "Content-Type: text/plain; charset=gb18030\nContent-Transfer-Encoding: quoted-printable\n\n=C4=E3=BA=C3\n"},
		{rules: "mime charset eight-bit", in: rest + "\nna\xefve \xff\n", want: rest + "Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\nna=EFve =FF\n"},
		{rules: "charset eight-bit", in: rest + "Content-Type: text/html\n\n你\n", want: rest + "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E4=BD=A0\n"},
		{rules: "charset eight-bit", in: rest + "Content-Type: text/plain; charset=\"US-ASCII\"; format=flowed\n\n你\n", want: rest + "Content-Type: text/plain; format=flowed; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E4=BD=A0\n"},
		{rules: "eight-bit", in: plainText + "Content-Transfer-Encoding: 8bit\n\n" + strings.Repeat("你", 40) + "\n", want: plainText + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("5L2g", 19) + "\n" + strings.Repeat("5L2g", 19) + "\n5L2g5L2gDQo=\n"},
		{rules: "controls", in: plainText + "\na\x00b\x07\n", want: plainText + "Content-Transfer-Encoding: quoted-printable\n\na=00b=07\n"},
		{rules: "controls", in: plainText + "\n\x1b[1mbold\x1b[0m\n", want: plainText + "Content-Transfer-Encoding: quoted-printable\n\n=1B[1mbold=1B[0m\n"},
		{rules: "", in: rest + "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B$\"\x1b(B\tx\f\n", want: rest + "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B$\"\x1b(B\tx\f\n"},
		{rules: "long-lines", in: plainText + "\n" + long + "\n", want: plainText + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat(strings.Repeat("x", 75)+"=\n", 19) + strings.Repeat("x", 75) + "\n"},
		{rules: "long-lines", in: rest + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nshort\n--b\nContent-Type: text/html\n\n" + long + "\n--b--\n",
			want: rest + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nshort\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat(strings.Repeat("x", 75)+"=\n", 19) + strings.Repeat("x", 75) + "\n--b--\n"},
		{rules: "controls long-lines", in: rest + "Content-Type: multipart/mixed; boundary=b\n\n" + long + "\x00\n--b\n\nx\n--b--\n",
			want: rest + "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("x", 998) + "\n" + strings.Repeat("x", 502) + " \n--b\n\nx\n--b--\n"},
	} {
		o := tt.o
		o.Now = now()
		m := read(t, tt.in, o)
		var names []string
		for _, c := range m.Changes() {
			names = append(names, string(c))
			covered[c] = true
		}
		got := wire(t, m)
		got = strings.Replace(got, "Date: Tue, 01 Dec 2026 08:00:00 +0000\r\n", "DATE\r\n", 1)
		if id := m.Header().MessageID(); strings.Contains(tt.want, "ID@") {
			got = strings.Replace(got, "Message-ID: "+id, "ID@"+strings.TrimSuffix(id[strings.IndexByte(id, '@')+1:], ">"), 1)
		} else if strings.Contains(tt.want, "ID\n") {
			got = strings.Replace(got, "Message-ID: "+id, "ID", 1)
		}
		if got != crlf(tt.want) || strings.Join(names, " ") != tt.rules {
			t.Errorf("%.1200q:\n got %q\nwant %q\nrules %q, want %q", tt.in, got, crlf(tt.want), names, tt.rules)
		}
	}
	for _, r := range repair.Rules() {
		if !covered[r.Name] {
			t.Errorf("the rule %s has no test", r.Name)
		}
		if r.Does == "" {
			t.Errorf("the rule %s has no text", r.Name)
		}
	}
}

// Users find each rule in the documents, in its place.
func TestRulesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"repair.md", "repair.zh-CN.md"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		rest := string(b)
		for _, r := range repair.Rules() {
			_, after, found := strings.Cut(rest, "\n| `"+string(r.Name)+"` | ")
			if !found {
				t.Errorf("%s lacks a row of %s, or has it in another place", name, r.Name)
				continue
			}
			rest = "\n" + after
		}
	}
}
