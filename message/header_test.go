package message

import (
	"math/rand/v2"
	"mime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHeaderFields(t *testing.T) {
	t.Parallel()
	subject := func(s string) string { var f folder; f.subjectField(s); return string(f.buf) }
	extra := func(name, value string) string { var f folder; f.extraField(Header{name, value}); return string(f.buf) }
	boxes := func(name, list string) string {
		m, err := ParseMailboxList(list)
		if err != nil {
			t.Fatal(err)
		}
		var f folder
		f.mailboxField(name, m)
		return string(f.buf)
	}
	file := func(name string) string {
		var f folder
		f.fieldWithParameters("Content-Disposition", "attachment", fileNameParameters(name))
		return string(f.buf)
	}
	kind := func(s, name string) string {
		m, err := parseMediaType(s)
		if err != nil {
			t.Fatal(err)
		}
		var f folder
		m.appendField(&f, name)
		return string(f.buf)
	}
	tests := []struct{ name, got, want string }{
		{"ascii", subject("Hello World"), "Subject: Hello World\n"},
		{"blanks kept", subject("  a   b\tc "), "Subject: a   b\tc\n"},
		{"base64 is shorter", subject("你好"), "Subject: =?UTF-8?B?5L2g5aW9?=\n"},
		{"quoted-printable is shorter", subject("Straßenfest"), "Subject: =?UTF-8?Q?Stra=C3=9Fenfest?=\n"},
		{"only what needs it", subject("[JIRA-1] Re: 你 和 我 OK"), "Subject: [JIRA-1] Re: =?UTF-8?B?5L2gIOWSjCDmiJE=?= OK\n"},
		{"looks encoded", subject("what is =?utf-8?q?x?= ?"), "Subject: what is =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?= ?\n"},
		{"folded", subject(strings.Repeat("word ", 20)),
			"Subject: word word word word word word word word word word word word word\n word word word word word word word\n"},
		{"folded encoded words", subject(strings.Repeat("雁", 40)),
			"Subject: =?UTF-8?B?6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB?=\n" +
				" =?UTF-8?B?6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB?=\n" +
				" =?UTF-8?B?6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB6ZuB?=\n"},
		{"family not split", subject(strings.Repeat("👨‍👩‍👧", 4)),
			"Subject: =?UTF-8?B?8J+RqOKAjfCfkanigI3wn5Gn8J+RqOKAjfCfkanigI3wn5Gn?=\n" +
				" =?UTF-8?B?8J+RqOKAjfCfkanigI3wn5Gn8J+RqOKAjfCfkanigI3wn5Gn?=\n"},
		{"family not split by what precedes it", subject("雁雁" + strings.Repeat("👨‍👩‍👧", 2)),
			"Subject: =?UTF-8?B?6ZuB6ZuB8J+RqOKAjfCfkanigI3wn5Gn?=\n =?UTF-8?B?8J+RqOKAjfCfkanigI3wn5Gn?=\n"},
		{"flag not split", subject(strings.Repeat("🇨🇳", 5)),
			"Subject: =?UTF-8?B?8J+HqPCfh7Pwn4eo8J+Hs/Cfh6jwn4ez?=\n =?UTF-8?B?8J+HqPCfh7Pwn4eo8J+Hsw==?=\n"},
		{"unbreakable", extra("X-Token", strings.Repeat("x", 100)), "X-Token: " + strings.Repeat("x", 100) + "\n"},
		{"folded after the colon", extra("References", "<"+strings.Repeat("x", 70)+"@b>"), "References:\n <" + strings.Repeat("x", 70) + "@b>\n"},
		{"ascii never encoded", extra("List-Unsubscribe", "<mailto:u@example.com?subject==?x>, <https://example.com/u?t=aGVsbG8=>"),
			"List-Unsubscribe: <mailto:u@example.com?subject==?x>,\n <https://example.com/u?t=aGVsbG8=>\n"},
		{"structure kept", extra("List-Id", "雁的列表 <list.example.com>"), "List-Id: =?UTF-8?B?6ZuB55qE5YiX6KGo?= <list.example.com>\n"},
		{"addresses in a further field", extra("Disposition-Notification-To", "张三<z@example.com>"), "Disposition-Notification-To: =?UTF-8?B?5byg5LiJ?= <z@example.com>\n"},
		{"several", extra("Mail-Followup-To", "Müller <e@example.org>, Zoë <z@example.org>"),
			"Mail-Followup-To: =?UTF-8?Q?M=C3=BCller?= <e@example.org>,\n =?UTF-8?Q?Zo=C3=AB?= <z@example.org>\n"},
		{"A-labels in a further field", extra("mail-followup-to", "u@例子.中国"), "mail-followup-to: <u@xn--fsqu00a.xn--fiqs8s>\n"},
		{"ids without brackets", extra("References", "a@b, <c@d>"), "References: <a@b> <c@d>\n"},
		{"URI without brackets", extra("List-Unsubscribe", "https://example.com/u?a=b,c"), "List-Unsubscribe: <https://example.com/u?a=b,c>\n"},
		{"no postings", extra("List-Post", "NO (announcements only)"), "List-Post: NO (announcements only)\n"},
		{"list id without brackets", extra("List-ID", "news.example.com"), "List-ID: <news.example.com>\n"},
		{"code", extra("Auto-Submitted", "auto-generated"), "Auto-Submitted: auto-generated\n"},
		{"text", extra("Organization", "雁 <a@b>"), "Organization: =?UTF-8?B?6ZuB?= <a@b>\n"},
		{"empty value", extra("X-Empty", ""), "X-Empty:\n"},

		{"bare", boxes("To", "a@b.c, d@e.f"), "To: <a@b.c>, <d@e.f>\n"},
		{"phrase", boxes("To", "John Smith <a@b.c>"), "To: John Smith <a@b.c>\n"},
		{"quoted", boxes("To", `"Smith, J. \"Joe\"" <a@b.c>`), "To: \"Smith, J. \\\"Joe\\\"\" <a@b.c>\n"},
		{"long phrase", boxes("To", strings.Repeat("Very ", 16)+"Long <a@b.c>"), "To:" + strings.Repeat(" Very", 14) + "\n Very Very Long <a@b.c>\n"},
		{"long quoted name", boxes("To", "\"a,"+strings.Repeat("b", 72)+"\" <a@b.c>"), "To: =?UTF-8?Q?a=2C" + strings.Repeat("b", 56) + "?=\n =?UTF-8?Q?" + strings.Repeat("b", 16) + "?= <a@b.c>\n"},
		{"name in Q", boxes("To", "Jürgen <a@b.c>"), "To: =?UTF-8?Q?J=C3=BCrgen?= <a@b.c>\n"},
		{"name in B for From", boxes("From", "Jürgen <a@b.c>"), "From: =?UTF-8?B?SsO8cmdlbg==?= <a@b.c>\n"},
		{"name that looks encoded", boxes("To", `"=?x" <a@b.c>`), "To: =?UTF-8?B?PT94?= <a@b.c>\n"},
		{"A-labels", boxes("To", "a@例子.测试"), "To: <a@xn--fsqu00a.xn--0zwm56d>\n"},
		{"UTF-8 local part", boxes("To", "用户@例子.测试"), "To: <用户@xn--fsqu00a.xn--0zwm56d>\n"},
		{"long list", boxes("Cc", strings.Repeat("a@example.com, ", 5)+"z@example.com"),
			"Cc: <a@example.com>, <a@example.com>, <a@example.com>, <a@example.com>,\n <a@example.com>, <z@example.com>\n"},

		{"plain file", file("a.txt"), "Content-Disposition: attachment; filename=a.txt\n"},
		{"file with blank", file(`a "b".txt`), "Content-Disposition: attachment; filename*=UTF-8''a%20%22b%22.txt\n"},
		{"file with marks of RFC 2231", file("50%*'s.txt"), "Content-Disposition: attachment; filename=\"50%*'s.txt\"\n"},
		{"file that looks encoded", file("=?x"), "Content-Disposition: attachment; filename*=UTF-8''%3D%3Fx\n"},
		{"chinese file", file("报告.pdf"), "Content-Disposition: attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf\n"},
		{"long file", file(strings.Repeat("a b", 50)), "Content-Disposition: attachment;\n filename=\"" + strings.Repeat("a b", 50) + "\"\n"},
		{"long chinese file", file(strings.Repeat("报告", 10) + ".pdf"), "Content-Disposition: attachment;\n" +
			" filename*0*=UTF-8''%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A;\n" +
			" filename*1*=%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A;\n" +
			" filename*2*=%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A%E6%8A%A5%E5%91%8A;\n" +
			" filename*3*=%E6%8A%A5%E5%91%8A.pdf\n"},
		{"content type", kind(`TEXT/Plain; Charset="GBK"; name=old`, "a b.txt"), "Content-Type: text/plain; charset=GBK; name=\"a b.txt\"\n"},
		{"content type and chinese name", kind(`application/pdf`, "报告.pdf"), "Content-Type: application/pdf; name=\"=?UTF-8?B?5oql5ZGKLnBkZg==?=\"\n"},
		{"long content type", kind("application/vnd.openxmlformats-officedocument.presentationml.presentation", "a.pptx"),
			"Content-Type:\n application/vnd.openxmlformats-officedocument.presentationml.presentation;\n name=a.pptx\n"},
	}
	for _, tt := range tests {
		if got := strings.ReplaceAll(tt.got, "\r\n", "\n"); got != tt.want {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.name, got, tt.want)
		}
		for line := range strings.SplitSeq(tt.got, "\r\n") {
			if strings.Contains(line, "=?UTF-8?") && utf8.RuneCountInString(line) > 76 {
				t.Errorf("%s: a line with encoded words of %d characters", tt.name, len(line))
			}
		}
	}
}

// No encoded word is longer than 75 characters or contains part of a character, wherever the line
// begins.
func TestEncodedWordLimits(t *testing.T) {
	t.Parallel()
	texts := []string{strings.Repeat("é", 200), strings.Repeat("雁a", 200), strings.Repeat("🇨🇳", 50), strings.Repeat("e\u0301", 100),
		"e" + strings.Repeat("\u0301", 300), strings.Repeat("👨‍👩‍👧", 30), strings.Repeat("=", 300),
		"a" + strings.Repeat("雁", 100), "é" + strings.Repeat("雁", 100), strings.Repeat("雁", 30) + "2026" + strings.Repeat("雁", 100),
		"关于2026年第四季度销售情况的报告（含各部门意见汇总），请在12月5日前回复"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		texts = append(texts, "x"+strings.TrimSpace(generateLine(r, 300)))
	}
	for _, text := range texts {
		for _, e := range []wordEncoding{bEncoding, qEncoding} {
			for start := range 80 {
				var f folder
				f.beginField(strings.Repeat("X", start+1))
				f.appendEncoded(" ", text, e)
				f.endField()
				_, value, _ := strings.Cut(string(f.buf), ":")
				var b strings.Builder
				words := strings.Fields(value)
				for i, w := range words {
					// A mail program that decodes neighbours of the same kind as one run must
					// find no padding within it.
					const kind = len("=?UTF-8?B?")
					if i+1 < len(words) && w[:kind] == words[i+1][:kind] && strings.Contains(w[:kind], "?B?") && strings.HasSuffix(w, "=?=") {
						t.Fatalf("%q has padding before %q", w, words[i+1])
					}
					if len(w) > 75 {
						t.Fatalf("an encoded word of %d characters", len(w))
					}
					s, err := new(mime.WordDecoder).Decode(w)
					if err != nil || !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
						t.Fatalf("%q is %q, %v", w, s, err)
					}
					b.WriteString(s)
				}
				if b.String() != text {
					t.Fatalf("%q became %q", text, b.String())
				}
			}
		}
	}
}

func TestMediaTypeByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"a.PDF": "application/pdf", "报告.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"a.tar.gz": "application/gzip", "a": "", "a.eml": "message/rfc822", ".": "", "a.bin": "application/octet-stream"} {
		if got := mediaTypeByName(name).full; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
