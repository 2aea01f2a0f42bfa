package bounce

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Whatever a message and a server contain, a report has at most three parts in their places, in
// lines that mail can carry.
func FuzzCompose(f *testing.F) {
	f.Add("Subject: hi\r\n there\r\n\r\nbody", "No such user", "<1@example.org>", 550)
	f.Add("A: \xff\n--=_\n\n", "no\r\n\r\n--=_", "<a@b>\r\nBcc: c", 0)
	f.Add("Subject: =?gb2312?B?1tDOxA==?= =?x?q?y?=\n", strings.Repeat("雁", 900), "", 299)
	f.Fuzz(func(t *testing.T, header, answer, id string, code int) {
		s := refused(t, "bob@example.net", code, smtp.EnhancedCode{}, answer)
		if code%2 == 0 {
			s.Answer = queue.Answer{Err: answer}
		}
		r := report(t, s)
		r.Text, r.MessageID, r.DSN.EnvelopeID = strings.NewReader(header), id, answer
		l := compose(t, r)
		if len(l.status) != 2 || len(l.kinds) < 2 || len(l.kinds) > 3 || l.status[1].Get("Action") != "failed" {
			t.Errorf("%v, %q", l.status, l.kinds)
		}
		if l.header.Get("Bcc") != "" || len(l.header) > 10 {
			t.Errorf("%q", l.header)
		}
	})
}
