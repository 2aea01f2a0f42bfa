package redact

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"no mailbox for alice@example.org": "no mailbox for …@example.org",
		"<alice@example.org>: refused":     "<…@example.org>: refused",
		`to "a b"@example.org, b@c.d`:      `to …@example.org, …@c.d`,
		"smtps://u:p/w:d@host:465/x":       "smtps://…@host:465/x",
		"https://host/ is down":            "https://host/ is down",
		"smtps://u@x:a:b;c@h/ for u@x.y":   "smtps://…@h/ for …@x.y",
		"smtps://u%40x.y:p@host":           "smtps://…@host",
		"爱丽丝@例子.中国":                        "…@例子.中国",
		"“爱丽丝@例子.中国”":                      "“…@例子.中国”",
		"dial tcp 127.0.0.1:25: refused":   "dial tcp 127.0.0.1:25: refused",
		"@":                                "…@",
		"":                                 "",
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "s3cr3t"
		if got := Text(before + secret + "@" + after); !strings.Contains(before+after, secret) && strings.Contains(got, secret+"@") {
			t.Errorf("%q becomes %q", before+secret+"@"+after, got)
		}
	})
}
