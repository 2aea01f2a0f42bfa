package bounce

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var (
	zone    = time.FixedZone("", 8*3600)
	created = time.Date(2026, 3, 4, 5, 6, 7, 0, zone)
)

const text = "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: =?UTF-8?B?5a2j5bqm5oql5ZGK?= and more\r\n" +
	"Message-ID: <1@example.org>\r\n\r\nThe body stays here.\r\n"

// refused returns a recipient that a server refused.
func refused(t testing.TB, to string, code int, enhanced smtp.EnhancedCode, lines ...string) queue.Recipient {
	return queue.Recipient{Address: address(t, to), State: queue.Failed, Attempts: 1, Updated: created.Add(time.Minute),
		Answer: queue.Answer{Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: code, Enhanced: enhanced, Lines: lines}}}
}

// report returns a report about these recipients.
func report(t testing.TB, recipients ...queue.Recipient) Report {
	return Report{
		PendingReport: outbox.PendingReport{ID: 7, Account: "work", From: address(t, "ann@example.org"), MessageID: "<1@example.org>", Created: created, Recipients: recipients},
		Sender:        address(t, "work@example.org"), Host: "mail-1.example.org", Text: strings.NewReader(text), Now: created.Add(time.Hour),
	}
}

// parsedReport is a report parsed by the standard library.
type parsedReport struct {
	octets   string
	header   mail.Header
	words    string
	status   []textproto.MIMEHeader // of the message, then of each recipient
	kinds    []string
	original string
}

func compose(t testing.TB, r Report) parsedReport {
	t.Helper()
	content, envelope, err := Compose(r)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var b bytes.Buffer
	if n, err := content.WriteTo(&b); err != nil || n != content.Size() {
		t.Fatalf("%d octets of %d, %v", n, content.Size(), err)
	}
	if envelope.From() != r.Sender || envelope.Len() != 1 || content.EightBit() || content.IsBinary() {
		t.Errorf("from %v to %v, 8bit %v", envelope.From(), envelope.To(), content.EightBit())
	}
	return parse(t, b.String())
}

func parse(t testing.TB, octets string) parsedReport {
	t.Helper()
	l := parsedReport{octets: octets}
	checkLines(t, octets)
	m, err := mail.ReadMessage(strings.NewReader(octets))
	if err != nil {
		t.Fatal(err)
	}
	l.header = m.Header
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s %v, %v", kind, params, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		l.kinds = append(l.kinds, kind)
		body := decoded(t, part)
		switch len(l.kinds) {
		case 1:
			l.words = body
		case 2:
			l.status = groups(t, body)
		case 3:
			l.original = body
		}
	}
	return l
}

func decoded(t testing.TB, part *multipart.Part) string {
	t.Helper()
	var r io.Reader = part
	switch how := part.Header.Get("Content-Transfer-Encoding"); how {
	case "7bit":
	case "quoted-printable":
		r = quotedprintable.NewReader(part)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, part)
	default:
		t.Fatalf("the encoding %q", how)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// groups parses the fields of a delivery status.
func groups(t testing.TB, body string) []textproto.MIMEHeader {
	t.Helper()
	var all []textproto.MIMEHeader
	for _, group := range strings.Split(strings.TrimSuffix(body, "\r\n"), "\r\n\r\n") {
		h, err := mail.ReadMessage(strings.NewReader(group + "\r\n\r\n"))
		if err != nil {
			t.Fatalf("%q: %v", group, err)
		}
		all = append(all, textproto.MIMEHeader(h.Header))
	}
	return all
}

// checkLines checks for CRLF, 7 bit except in the header, and the maximum line length of mail.
func checkLines(t testing.TB, octets string) {
	t.Helper()
	_, body, _ := strings.Cut(octets, "\r\n\r\n")
	for line := range strings.SplitAfterSeq(octets, "\n") {
		if line != "" && (!strings.HasSuffix(line, "\r\n") || strings.Contains(strings.TrimSuffix(line, "\r\n"), "\r") || len(line) > 1000) {
			t.Errorf("the line %q", line)
		}
	}
	if strings.ContainsFunc(body, func(r rune) bool { return r >= 0x7f || r < ' ' && r != '\r' && r != '\n' && r != '\t' }) {
		t.Error("the body is not 7bit text")
	}
}

func TestReportsAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{
		"refused": report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, "No such user here")),
		"several": func() Report {
			full := refused(t, "carol@例子.cn", 552, smtp.EnhancedCode{}, "邮箱空间已满 (mailbox is full)")
			full.Attempts = 3
			late := queue.Recipient{Address: address(t, "dan@example.net"), State: queue.Expired, Attempts: 12, Updated: created.Add(time.Hour),
				Answer: queue.Answer{Stage: smtp.StageConnect, Err: "dial tcp 192.0.2.1:465: i/o timeout", Class: string(diagnosis.ClassTimeout)}}
			never := queue.Recipient{Address: address(t, "erin@example.net"), State: queue.Expired, Updated: created.Add(time.Hour)}
			foreign := refused(t, "雁+a@example.com", 550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, "No such user here")
			r := report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, "No such user here"), full, late, never, foreign)
			r.To, r.DSN.EnvelopeID = address(t, "postmaster@example.org"), "job 1+1"
			return r
		}(),
		"nothing left": func() Report {
			gone := queue.Recipient{Address: address(t, "bob@example.net"), State: queue.Failed, Updated: created.Add(time.Minute),
				Answer: queue.Answer{Err: "the content of the message is not in the outbox"}}
			r := report(t, gone)
			r.Text, r.Host = nil, ""
			return r
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := compose(t, r)
			got := golden(l)
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
				t.Errorf("it is now\n%s", got)
			}
		})
	}
}

// golden returns a report with its random parts replaced, followed by its text for the reviewer.
func golden(l parsedReport) string {
	s := regexp.MustCompile(`=_[A-Z2-7]{26}`).ReplaceAllString(l.octets, "=_BOUNDARY")
	s = regexp.MustCompile(`(Message-ID: <)[a-z2-7]{26}@`).ReplaceAllString(s, "${1}RANDOM@")
	return strings.ReplaceAll(s+"\n======== its words\n"+l.words, "\r\n", "\n")
}

func TestTheHeaderOfAReport(t *testing.T) {
	t.Parallel()
	l := compose(t, report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{}, "no")))
	for name, want := range map[string]string{
		"From": `"Yan (mail delivery)" <work@example.org>`, "To": "<ann@example.org>", "Auto-Submitted": "auto-replied",
		"In-Reply-To": "<1@example.org>", "References": "<1@example.org>", "Mime-Version": "1.0", "Date": "Wed, 04 Mar 2026 06:06:07 +0800",
	} {
		if got := l.header[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(l.header.Get("Subject"))
	if err != nil || subject != "Not sent 未发出: 季度报告 and more" {
		t.Errorf("%q, %v", subject, err)
	}
	if !slices.Equal(l.kinds, []string{"text/plain", "message/delivery-status", "text/rfc822-headers"}) {
		t.Errorf("the parts are %q", l.kinds)
	}
	if want, _, _ := strings.Cut(text, "\r\n\r\n"); l.original != want+"\r\n" {
		t.Errorf("the header in the report is %q", l.original)
	}
}

func TestStatusCodes(t *testing.T) {
	t.Parallel()
	reply := func(code int, enhanced smtp.EnhancedCode, text string) queue.Answer {
		return queue.Answer{Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: code, Enhanced: enhanced, Lines: []string{text}}}
	}
	for _, tc := range []struct {
		state      queue.State
		answer     queue.Answer
		code, diag string
	}{
		{queue.Failed, reply(550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, "no"), "5.1.1", "smtp; 550 5.1.1 no"},
		{queue.Failed, reply(450, smtp.EnhancedCode{Class: 4, Subject: 7, Detail: 1}, "no"), "4.7.1", "smtp; 450 4.7.1 no"},
		{queue.Failed, reply(550, smtp.EnhancedCode{}, "User unknown"), "5.1.1", "smtp; 550 User unknown"},
		{queue.Failed, reply(552, smtp.EnhancedCode{}, "mailbox full"), "5.2.2", "smtp; 552 mailbox full"},
		{queue.Failed, reply(599, smtp.EnhancedCode{}, "\\x{41} 雁"), "5.0.0", `smtp; 599 \x{5C}x{41} \x{96C1}`},
		{queue.Failed, queue.Answer{Err: "the file is gone", Class: string(diagnosis.ClassContentUnreadable)}, "5.0.0", "x-yan; the file is gone"},
		{queue.Failed, queue.Answer{Err: "too large", Class: string(diagnosis.ClassTooLarge)}, "5.3.4", "x-yan; too large"},
		{queue.Failed, queue.Answer{}, "5.0.0", ""},
		{queue.Expired, reply(450, smtp.EnhancedCode{Class: 4, Subject: 2, Detail: 2}, "full"), "4.4.7", "smtp; 450 4.2.2 full"},
		{queue.Expired, queue.Answer{}, "4.4.7", ""},
	} {
		s := queue.Recipient{Address: address(t, "bob@example.net"), State: tc.state, Attempts: 1, Updated: created, Answer: tc.answer}
		l := compose(t, report(t, s))
		if len(l.status) != 2 {
			t.Fatalf("%v", l.status)
		}
		got := l.status[1]
		if got.Get("Status") != tc.code || got.Get("Diagnostic-Code") != tc.diag || got.Get("Action") != "failed" {
			t.Errorf("%v: %v", tc.answer, got)
		}
		if last := got.Get("Last-Attempt-Date"); (last != "") != (tc.state == queue.Failed) {
			t.Errorf("%s: %q", tc.state, last)
		}
	}
}

// Every class of failure is described in both languages.
func TestEveryClassIsTold(t *testing.T) {
	t.Parallel()
	classes := diagnosis.Classes()
	if len(classes) < 50 {
		t.Fatalf("only %d classes", len(classes))
	}
	for _, class := range classes {
		info, ok := diagnosis.Describe(class)
		if !ok {
			t.Fatal(class)
		}
		s := refused(t, "bob@example.net", 599, smtp.EnhancedCode{}, "what nobody has said before")
		s.Answer.Class = string(class)
		l := compose(t, report(t, s))
		for _, want := range []string{info.Cause.EN, info.Cause.ZH, info.Advice.EN, info.Advice.ZH} {
			if want != "" && !strings.Contains(l.words, want) {
				t.Errorf("%s: %q is missing in\n%s", class, want, l.words)
			}
		}
	}
}

func TestAddressesThatAreNotASCII(t *testing.T) {
	t.Parallel()
	r := report(t, refused(t, "雁+a=b@例子.cn", 550, smtp.EnhancedCode{}, "no"), refused(t, "bob@例子.cn", 550, smtp.EnhancedCode{}, "no"))
	l := compose(t, r)
	for i, want := range []string{`utf-8; \x{96C1}\x{2B}a\x{3D}b@xn--fsqu00a.cn`, "rfc822; bob@xn--fsqu00a.cn"} {
		if got := l.status[i+1]; got.Get("Final-Recipient") != want || got.Get("Original-Recipient") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !strings.Contains(l.words, "<雁+a=b@例子.cn>") {
		t.Errorf("the words are %s", l.words)
	}
	for to, needs := range map[string]bool{"雁@example.org": true, "ann@例子.cn": false, "ann@example.org": false} {
		r := report(t, refused(t, "雁@例子.cn", 550, smtp.EnhancedCode{}, "no"))
		r.To = address(t, to)
		content, envelope, err := Compose(r)
		if err != nil {
			t.Fatal(err)
		}
		if content.NeedsSMTPUTF8() != needs || envelope.To()[0] != r.To {
			t.Errorf("%s: %v, %v", to, content.NeedsSMTPUTF8(), envelope.To())
		}
	}
}

// Text in a reply or a message never creates a field, part or line.
func TestNothingGetsOutOfItsPlace(t *testing.T) {
	t.Parallel()
	const evil = "no\r\nBcc: eve@example.com\r\n\r\n--=_x\r\nContent-Type: text/html\n\x00\x1b[31m\u202e\u2028\x85 <b>.\r\n.\r\n=?UTF-8?Q?=0D=0AX:_y?="
	for name, change := range map[string]func(*Report){
		"reply": func(r *Report) { r.Recipients[0].Answer.Reply.Lines = []string{evil, evil} },
		"no reply": func(r *Report) {
			r.Recipients[0].Answer = queue.Answer{Err: evil, Class: evil, Stage: smtp.Stage(evil)}
		},
		"long words":  func(r *Report) { r.Recipients[0].Answer.Reply.Lines = []string{strings.Repeat("雁", 5000)} },
		"Message-ID":  func(r *Report) { r.MessageID = "<a@b>" + evil },
		"envelope id": func(r *Report) { r.DSN.EnvelopeID = evil },
		"host":        func(r *Report) { r.Host = evil },
		"provider":    func(r *Report) { r.Provider = evil },
		"subject": func(r *Report) {
			r.Text = strings.NewReader("Subject: =?utf-8?b?YQ0KQmNjOiBldmVAZXhhbXBsZS5jb20=?=\r\n\r\n")
		},
		"long subject": func(r *Report) {
			r.Text = strings.NewReader("Subject: " + strings.Repeat("x", 900) + "\r\n " + strings.Repeat("y ", 400) + "\r\n\r\n")
		},
		"binary header": func(r *Report) { r.Text = strings.NewReader("A: b\x00\xff\r\n--=_x: y\r\n" + evil) },
		"long lines":    func(r *Report) { r.Text = strings.NewReader("A: " + strings.Repeat("x", 5000) + "\r\n\r\n") },
		"bare line ends": func(r *Report) {
			r.Text = strings.NewReader("A: b\nC: d\n\nbody")
		},
		"no text": func(r *Report) { r.Text = strings.NewReader("") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{}, "no"))
			change(&r)
			l := compose(t, r)
			if len(l.status) != 2 || len(l.kinds) > 3 {
				t.Errorf("%d groups, the parts %q", len(l.status), l.kinds)
			}
			for _, h := range append([]textproto.MIMEHeader{textproto.MIMEHeader(l.header)}, l.status...) {
				for field := range h {
					if !slices.Contains(fields(), field) {
						t.Errorf("the field %q", field)
					}
				}
			}
			if strings.ContainsAny(l.words, "\x00\x1b\u202e\u2028\u0085") {
				t.Errorf("the words are %q", l.words)
			}
		})
	}
}

// fields lists all fields that a report may have.
func fields() []string {
	return []string{"Date", "From", "To", "Subject", "Message-Id", "Auto-Submitted", "In-Reply-To", "References", "Mime-Version", "Content-Type",
		"Original-Envelope-Id", "Reporting-Mta", "Arrival-Date", "Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code",
		"Last-Attempt-Date"}
}

func TestTheHeaderComesBack(t *testing.T) {
	t.Parallel()
	utf := "Subject: 雁\r\nTo: 雁@example.org\r\n"
	long := strings.Repeat("X-Filler: "+strings.Repeat("x", 60)+"\r\n\t"+strings.Repeat("y", 60)+"\r\n", 1000)
	for name, tc := range map[string]struct{ text, kind, want string }{
		"ASCII":         {text, "text/rfc822-headers", strings.SplitAfterN(text, "\r\n", 5)[0]},
		"UTF-8":         {utf + "\r\nbody", "message/global-headers", utf},
		"no body":       {utf, "message/global-headers", utf},
		"cut in a line": {"A: b\r\nC: d", "text/rfc822-headers", "A: b\r\n"},
		"long":          {long + "\r\n", "text/rfc822-headers", "X-Filler"},
		"neither":       {"A: \xff\r\n\r\n", "text/rfc822-headers", "A: \xff\r\n"},
	} {
		r := report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{}, "no"))
		r.Text = strings.NewReader(tc.text)
		l := compose(t, r)
		if len(l.kinds) != 3 || l.kinds[2] != tc.kind || !strings.HasPrefix(l.original, tc.want) || strings.Contains(l.original, "body") {
			t.Errorf("%s: %q: %.200q", name, l.kinds, l.original)
		}
		if name == "long" && (len(l.original) > 64<<10 || len(l.original) < 63<<10 || !strings.HasSuffix(l.original, strings.Repeat("y", 60)+"\r\n")) {
			t.Errorf("%d octets, which end with %q", len(l.original), l.original[len(l.original)-100:])
		}
	}
}

// Only the header of a message is read.
func TestTheBodyIsNotRead(t *testing.T) {
	t.Parallel()
	unread := errors.New("the body was read")
	r := report(t, refused(t, "bob@example.net", 550, smtp.EnhancedCode{}, "no"))
	r.Text = io.MultiReader(strings.NewReader("A: b\r\n\r\n"), iotest.ErrReader(unread))
	if _, _, err := Compose(r); err != nil {
		t.Error(err)
	}
	r.Text = io.MultiReader(strings.NewReader("A: b\r\n"), iotest.ErrReader(unread))
	if _, _, err := Compose(r); !errors.Is(err, unread) {
		t.Error(err)
	}
}

func TestWhatIsNotReported(t *testing.T) {
	t.Parallel()
	failed := refused(t, "bob@example.net", 550, smtp.EnhancedCode{}, "no")
	for name, tc := range map[string]struct {
		change func(*Report)
		nobody bool
	}{
		"a report":                {func(r *Report) { r.ReportOn = 3 }, true},
		"a report, told to other": {func(r *Report) { r.ReportOn = 3; r.To = r.Sender }, true},
		"without a sender":        {func(r *Report) { r.From = smtp.Address{} }, true},
		"asked for none":          {func(r *Report) { r.DSN.Notify = []string{"NEVER"} }, true},
		"success alone":           {func(r *Report) { r.DSN.Notify = []string{"SUCCESS", "DELAY"} }, true},
		"no account":              {func(r *Report) { r.Sender = smtp.Address{} }, false},
		"no recipient":            {func(r *Report) { r.Recipients = nil }, false},
		"handed over":             {func(r *Report) { r.Recipients[0].State = queue.HandedOver }, false},
	} {
		r := report(t, failed)
		tc.change(&r)
		if _, _, err := Compose(r); err == nil || errors.Is(err, ErrNoReport) != tc.nobody {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := report(t, failed)
	r.DSN.Notify = []string{"SUCCESS", "FAILURE"}
	r.From, r.To = smtp.Address{}, address(t, "postmaster@example.org")
	if l := compose(t, r); l.header.Get("To") != "<postmaster@example.org>" {
		t.Errorf("%q", l.header)
	}
}

// A report is bounded, and states how many recipients it does not list.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	var all []queue.Recipient
	for i := range MaxRecipients + 234 {
		all = append(all, refused(t, fmt.Sprintf("u%d@example.net", i), 550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, "No such user here"))
	}
	l := compose(t, report(t, all...))
	if len(l.status) != 1+MaxRecipients {
		t.Errorf("%d groups", len(l.status))
	}
	for _, want := range []string{"1234 of its recipients", "234 more recipients", "其中 1234 位", "另有 234 位", "<u999@example.net>"} {
		if !strings.Contains(l.words, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Count(l.words, "The server replied") != 1 {
		t.Error("the same failure is described more than once")
	}
}
