package repair_test

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/smtp"
)

// A message that is right is not changed, whatever it contains.
func TestNothingToRepair(t *testing.T) {
	t.Parallel()
	head := crlf("Received: from a by b;\n\tTue, 1 Dec 2026 07:00:00 +0000\nFrom: =?GBK?B?xOO6ww==?= <me@corp.example>\nTo: team: a@b.example, \"C, D\" <c@d.example>;,\n\te@f.example\n") + crlf(plainText)
	signature := "DKIM-Signature: v=1; a=rsa-sha256; d=corp.example; s=x; h=from:subject; bh=x; b=y\r\n"
	for name, in := range map[string]string{
		"text":             head + "\r\n.\r\nFrom x\r\n\r\n \t\r\nx=\r\n",
		"quoted-printable": head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4=BD=A0=\r\n\r\n",
		"998 octets":       head + "X: " + strings.Repeat("x", 995) + "\r\n\r\n" + strings.Repeat("x", 998) + "\r\n",
		"no body":          head + "\r\n",
		"multipart":        crlf(rest) + "Content-Type: multipart/mixed;\r\n boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n\r\n--b--\r\nepilogue\r\n",
		"DKIM, 8-bit":      signature + head + "Content-Transfer-Encoding: 8bit\r\n\r\n你好\r\n",
		"DKIM, odd fields": signature + "Subject : x\r\nTo: a@b.example; c@d.example\r\nDate: today\r\nMessage-ID: x\r\n\r\nx\r\n",
		"DKIM, UTF-8":      signature + "From: 雁 <me@corp.example>\r\n" + crlf(plainText) + "\r\nx\r\n",
		"signed, 8-bit": crlf(rest) + "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"; micalg=pgp-sha256\r\n\r\n" +
			"--b\r\nContent-Type: text/plain; charset=utf-8\r\nX-A: 你\r\n\r\n你好\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n",
		"S/MIME": crlf(rest) + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\xfe\r\n",
	} {
		o := rewriting(t)
		o.Local = nil
		if !strings.Contains(in, "From:") {
			o.From = nil
		}
		m := read(t, in, o)
		b, err := m.Bytes()
		if err != nil || string(b) != in || int64(len(in)) != m.Size() || len(m.Changes()) > 0 {
			t.Errorf("%s: %v, %q became\n%q, %v", name, m.Changes(), in, b, err)
		}
	}
}

// The header of a signed message changes only where it must, and its body never.
func TestSignedMessages(t *testing.T) {
	t.Parallel()
	const signature = "DKIM-Signature: v=1; a=rsa-sha256; d=corp.example; s=x; h=from; bh=x; b=y\n"
	long := strings.Repeat("x", 1200)
	in := signature + "From: root\nTo: root\nBcc: b@c.example\nX-A: a\x00b\nSubject: \xc4\xe3\xba\xc3\n" + rest + "\n你好 \n"
	want := signature + "From: root <me@corp.example>\nTo: root\nX-A: a\ufffdb\nSubject: 你好\n" + rest + "X-Original-From: root\n\n你好 \n"
	m := read(t, in, rewriting(t))
	if got := wire(t, m); got != crlf(want) || !m.EightBit() || !m.NeedsSMTPUTF8() {
		t.Errorf("got %q\nwant %q", got, crlf(want))
	}
	for name, in := range map[string]string{
		"DKIM, a long line":          signature + plainText + "\n" + long + "\n",
		"DKIM, a NUL":                signature + plainText + "\na\x00b\n",
		"DKIM, a field without room": signature + "Subject: " + long + "\n" + plainText + "\nx\n",
		"signed, a long line":        rest + "Content-Type: multipart/signed; boundary=b\n\n--b\n\n" + long + "\n--b\n\nx\n--b--\n",
		"signed, a NUL":              rest + "Content-Type: multipart/signed; boundary=b\n\n--b\n\n\x00\n--b\n\nx\n--b--\n",
	} {
		m, err := repair.Read(strings.NewReader(in), int64(len(in)), form())
		var defect *repair.Error
		if !errors.As(err, &defect) {
			b, _ := m.Bytes()
			t.Errorf("%s: %v, %q", name, err, b)
		}
	}
	folded := read(t, signature+"References: "+strings.Repeat("<1@b.example> ", 100)+"\n"+plainText+"\nx\n", form())
	if got := wire(t, folded); !strings.Contains(got, "<1@b.example>\r\n <1@b.example>") {
		t.Errorf("%q", got)
	}
}

// A message with text that PGP has signed inside is re-encoded like any other: a reader decodes it first.
func TestPGPInText(t *testing.T) {
	t.Parallel()
	m := read(t, plainText+"\n-----BEGIN PGP SIGNED MESSAGE-----\n\n你"+strings.Repeat("x", 1200)+"\n", form())
	if got := wire(t, m); !strings.Contains(got, "\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n") || m.EightBit() {
		t.Errorf("%q", got)
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"To: a@b.example, \"X, Y\" <c@d.example> (z), root\nCc: A@b.example\nBcc: e@f.example\nTo: a@b.example\n\n":                                "a@b.example c@d.example root A@b.example e@f.example",
		"Resent-To: a@b.example\nResent-Bcc: c@d.example\nResent-From: x@y.example\nReceived: z\nResent-To: old@b.example\nTo: orig@b.example\n\n": "a@b.example c@d.example",
		"Resent-From: x@y.example\nTo: orig@b.example\n\n":                                                                                         "orig@b.example",
		"To: undisclosed-recipients:;\nBcc: team: a@b.example, root;, c@d.example\n\n":                                                             "a@b.example root c@d.example",
		"To: <@x.example,@y.example:a@b.example>, <root>, \"quoted@x\"@d.example\n\n":                                                              "a@b.example root \"quoted@x\"@d.example",
		"To: -f, bob@example.com, Me Too, <a@b.example\nCc: a@b@c, =?UTF-8?Q?A,_B?= <e@f.example>, ROOT, root\n\n":                                 "-f bob@example.com Me Too <a@b.example a@b@c e@f.example ROOT",
		"Subject: x\n\nTo: a@b.example\n":                                                  "",
		"To: \xd1\xe3 <a@b.example>, b\x00c@d.example, 雁@e.example\n\n":                    "a@b.example b\x00c@d.example 雁@e.example",
		"To: a@b.example,\n c@d.example,\n \n e@f.example\nApparently-To: x@y.example\n\n": "a@b.example c@d.example e@f.example",
	} {
		var got []string
		for _, r := range read(t, in, form()).Recipients() {
			got = append(got, r.String())
			if (r.Name == "") == r.Address.IsZero() {
				t.Errorf("%q: %+v", in, r)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A hundred thousand hidden recipients are read and leave; as many visible ones are too many for a header.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for i := range 100_000 {
		list.WriteString("user" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "@" + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26)) + ".example,\n ")
	}
	in := "Bcc: " + list.String() + "last@example.com\n" + plainText + "\nx\n"
	m := read(t, in, rewriting(t))
	if n := len(m.Recipients()); n < 90_000 || m.Size() > 1000 {
		t.Errorf("%d recipients, %d octets", n, m.Size())
	}
	in = "To: " + list.String() + "root\n" + plainText + "\nx\n"
	if _, err := repair.Read(strings.NewReader(in), int64(len(in)), rewriting(t)); err == nil {
		t.Error("a header of 2 MB is accepted")
	}
}

// What can't be repaired is an error with its line, and never a panic or a long wait.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"an endless field": "Subject: " + strings.Repeat("x", 9<<20),
		"an endless list":  "To: " + strings.Repeat("x@y.example,\n ", 700_000),
		"an endless part":  rest + "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: " + strings.Repeat("x", 2<<20) + "\n\nx\n--b--\n",
		"a long boundary":  rest + "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 2000) + "\n\nx\n",
	} {
		m, err := repair.Read(strings.NewReader(in), int64(len(in)), rewriting(t))
		var defect *repair.Error
		if !errors.As(err, &defect) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	for name, in := range map[string]string{
		"parentheses":   "To: " + strings.Repeat("(", 1<<20) + "\n\n",
		"brackets":      "To: " + strings.Repeat("[", 1<<20) + "\n\n",
		"angles":        "To: " + strings.Repeat("<", 1<<20) + "\n\n",
		"quotes":        "To: " + strings.Repeat("\"a", 1<<19) + "\n\n",
		"encoded words": "To: " + strings.Repeat("=?a?b?c?=", 1<<16) + "\n\n",
		"groups":        "To: " + strings.Repeat("a:b;", 1<<18) + "\n\n",
		"commas":        "To: " + strings.Repeat(",", 1<<20) + "\n\n",
		"local names":   "To: " + strings.Repeat("root,", 1<<17) + "\n\n",
		"fields":        strings.Repeat("To: root\n", 1<<16) + "\n",
		"backslashes":   "From: " + strings.Repeat("\\", 1<<20) + "\n\n",
	} {
		m, err := repair.Read(strings.NewReader(in), int64(len(in)), rewriting(t))
		var defect *repair.Error
		if err != nil && !errors.As(err, &defect) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			wire(t, m)
		}
	}
}

// failing fails at a place.
type failing struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("the disk is gone")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

// The error of a source is not taken for one of the message.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	in := plainText + "\n" + strings.Repeat("你好\n", 50_000)
	for _, from := range []int64{0, 100, 5000, 40_000, 200_000} {
		_, err := repair.Read(failing{strings.NewReader(in), from}, int64(len(in)), form())
		var defect *repair.Error
		if !errors.Is(err, errDisk) || errors.As(err, &defect) {
			t.Errorf("from %d: %v", from, err)
		}
	}
}

// Every place of a line end and of a character relative to the blocks is right.
func TestBlockBorders(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\n", "\r\n", "\r", "\r\r\n", "你\n", "\xc4\xe3\n"} {
		for shift := range 6 {
			body := strings.Repeat("y", 32<<10-3+shift)
			var lines []string
			for ; len(body) > 60; body = body[60:] {
				lines = append(lines, body[:59])
			}
			in := plainText + "\n" + strings.Join(append(lines, body), "\n") + text + "z"
			got := wire(t, read(t, in, form()))
			m, err := mail.ReadMessage(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			b, err := decoded(m)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("\r\r\n", "\r\n", "\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(strings.Join(append(lines, body), "\n")+text+"z") + "\r\n"
			if string(bytes.TrimRight(b, "\r\n")) != strings.TrimRight(want, "\r\n") {
				t.Fatalf("%q at %d: got …%q", text, shift, b[len(b)-20:])
			}
		}
	}
}

// The sequence of options does not matter for an address that stays.
func TestReplyToOnlyIfItCanReceive(t *testing.T) {
	t.Parallel()
	o := rewriting(t)
	o.ReplyTo = func(smtp.Address) bool { return false }
	got := wire(t, read(t, "From: Bob <bob@web.example>\n"+plainText+"\nx\n", o))
	if !strings.Contains(got, "X-Original-From: Bob <bob@web.example>\r\n") || strings.Contains(got, "Reply-To") {
		t.Errorf("%q", got)
	}
}
