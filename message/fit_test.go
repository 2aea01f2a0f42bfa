package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func fitAt() time.Time { return time.Date(2026, 11, 30, 21, 0, 0, 0, time.UTC) }

// fitted reads a message that needs changes, and checks both its forms.
func fitted(t testing.TB, in string) *Content {
	t.Helper()
	c, err := Raw{Fit: true, Date: fitAt()}.Read(strings.NewReader(in))
	if err != nil {
		t.Fatalf("%.200q: %v", in, err)
	}
	write(t, c)
	if seven, ok := c.SevenBit(); ok {
		wire := write(t, seven)
		_, body, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
		if seven.EightBit() || !isASCII(string(body)) && !seven.NeedsSMTPUTF8() {
			t.Fatalf("the 7-bit form of %.200q is not: %q", in, wire)
		}
	}
	return c
}

const dated = "Date: Mon, 30 Nov 2026 21:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n"

func TestFit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1200)
	for _, tt := range []struct{ name, in, want, seven string }{
		{"nothing to do", dated + "From: a@b.example\r\n\r\nx\r\n", dated + "From: a@b.example\r\n\r\nx\r\n", ""},
		{"what is missing", "From: a@b.example\n\nx\n", "Date: Mon, 30 Nov 2026 21:00:00 +0000\r\nMessage-ID: <ID@b.example>\r\nFrom: a@b.example\r\n\r\nx\r\n", ""},
		{"a date alone", "Message-ID: <1@b.example>\nFrom: a@b.example\n\nx\n", "Date: Mon, 30 Nov 2026 21:00:00 +0000\r\nMessage-ID: <1@b.example>\r\nFrom: a@b.example\r\n\r\nx\r\n", ""},
		{"subject", dated + "Subject: 你好\r\n\r\nx\r\n", dated + "Subject: =?UTF-8?B?5L2g5aW9?=\r\n\r\nx\r\n", ""},
		{"names", dated + "From: 雁 <a@b.example>\r\nTo: 团队: \"李 四\" <c@d.example>, e@f.example;, 王 <u@例子.中国>\r\n\r\nx\r\n",
			dated + "From: =?UTF-8?B?6ZuB?= <a@b.example>\r\nTo: =?UTF-8?B?5Zui6Zif?=: =?UTF-8?B?5p2OIOWbmw==?= <c@d.example>,\r\n <e@f.example>;, =?UTF-8?B?546L?= <u@xn--fsqu00a.xn--fiqs8s>\r\n\r\nx\r\n", ""},
		{"a file name", dated + "Content-Type: application/pdf; name=\"报告.pdf\"\r\nContent-Disposition: attachment; filename=\"报告.pdf\"\r\n\r\nx\r\n",
			dated + "Content-Type: application/pdf; name*=UTF-8''%E6%8A%A5%E5%91%8A.pdf\r\nContent-Disposition: attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf\r\n\r\nx\r\n", ""},
		{"references", dated + "References:" + strings.Repeat(" <aaaaaaaaaaaaaaaaaaaa@example.org>", 40) + "\r\n\r\nx\r\n",
			dated + "References:" + foldedReferences(40) + "\r\n\r\nx\r\n", ""},
		{"a long line", dated + "\r\n" + long + "\r\n", dated + "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + quotedLong(1200) + "\r\n", ""},
		{"8-bit", dated + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nJürgen =\r\n",
			dated + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nJürgen =\r\n",
			dated + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nJ=C3=BCrgen =3D\r\n"},
		{"8-bit without a label", dated + "\r\n你好\r\n", dated + "\r\n你好\r\n",
			dated + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4=BD=A0=E5=A5=BD\r\n"},
		{"base64 in one line", dated + "Content-Type: image/png\r\nContent-Transfer-Encoding: Base64\r\n\r\n" + strings.Repeat("QUJD", 300) + "\r\n",
			dated + "Content-Type: image/png\r\nContent-Transfer-Encoding: Base64\r\n\r\n" + strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 15) + strings.Repeat("QUJD", 15) + "\r\n", ""},
		{"parts", dated + "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nok\r\n--b\r\nContent-Type: application/x\r\n\r\na\x00b\r\n\r\n--b--\r\nepilogue\r\n",
			dated + "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nok\r\n--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBiDQo=\r\n--b--\r\nepilogue\r\n", ""},
		{"a message in a message", dated + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: 你\r\n\r\nü\r\n",
			dated + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: =?UTF-8?B?5L2g?=\r\n\r\nü\r\n",
			dated + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: =?UTF-8?B?5L2g?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n"},
		{"a local part in UTF-8", dated + "To: 李 <李@d.example>\r\n\r\nx\r\n", dated + "To: =?UTF-8?B?5p2O?= <李@d.example>\r\n\r\nx\r\n", ""},
	} {
		c := fitted(t, tt.in)
		got := string(write(t, c))
		if id := c.MessageID(); strings.Contains(tt.want, "<ID@") {
			got = strings.Replace(got, id, "<ID@b.example>", 1)
		}
		if got != tt.want {
			t.Errorf("%s: %q\nwant %q", tt.name, got, tt.want)
		}
		seven, ok := c.SevenBit()
		if !ok {
			t.Fatalf("%s: no 7-bit form", tt.name)
		}
		if tt.seven != "" {
			if got := string(write(t, seven)); got != tt.seven {
				t.Errorf("%s, 7-bit: %q\nwant %q", tt.name, got, tt.seven)
			}
		}
		if c.NeedsSMTPUTF8() != strings.Contains(tt.name, "local part") {
			t.Errorf("%s: SMTPUTF8 %v", tt.name, c.NeedsSMTPUTF8())
		}
	}
}

// foldedReferences returns n IDs of 36 characters, folded.
func foldedReferences(n int) string {
	var b strings.Builder
	col := len("References:")
	for range n {
		const id = " <aaaaaaaaaaaaaaaaaaaa@example.org>"
		if col+len(id) > foldAt {
			b.WriteString("\r\n")
			col = 0
		}
		b.WriteString(id)
		col += len(id)
	}
	return b.String()
}

// quotedLong returns a line of n letters in quoted-printable.
func quotedLong(n int) string {
	var lines []string
	for ; n > 75; n -= 75 {
		lines = append(lines, strings.Repeat("x", 75))
	}
	return strings.Join(append(lines, strings.Repeat("x", n)), "=\r\n")
}

// Signed messages and messages with a signed part are not changed; if one can't be sent
// unchanged, it is refused with the reason.
func TestFitLeavesSignedAlone(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"DKIM":          "DKIM-Signature: v=1; h=from\r\nFrom: 雁 <a@b.example>\r\nSubject: 你好\r\n\r\nü\r\n",
		"OpenPGP":       dated + "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nSubject: 你\r\n\r\nü\r\n--b\r\n\r\nx\r\n--b--\r\n",
		"inside":        dated + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nü\r\n--b--\r\n--a--\r\n",
		"S/MIME":        dated + "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: 8bit\r\n\r\nü\r\n",
		"PGP in a text": dated + "\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nü\r\n",
	} {
		c, err := Raw{Fit: true, Date: fitAt()}.Read(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(write(t, c)); got != in {
			t.Errorf("%s: %q became %q", name, in, got)
		}
		if _, ok := c.SevenBit(); ok || !c.EightBit() {
			t.Errorf("%s: has a 7-bit form", name)
		}
		in = strings.Replace(in, "ü", strings.Repeat("x", 999), 1)
		if _, err := (Raw{Fit: true}).Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), "is longer than 998 octets and can't be changed, because the message is signed (") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The parts beside a signed part are changed.
	c := fitted(t, dated+"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a\r\n\r\n"+strings.Repeat("y", 1000)+"\r\n--a--\r\n")
	if got := string(write(t, c)); !strings.Contains(got, "--a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nyyy") {
		t.Errorf("%q", got)
	}
	if _, err := (Raw{Fit: true}).Read(strings.NewReader("Subject: x\r\nMessage-ID: " + strings.Repeat("x", 1000) + "\r\n\r\n")); err == nil || !strings.Contains(err.Error(), "header field Message-ID has more than 998 octets without a space") {
		t.Error(err)
	}
}

// Date and Message-ID are the same if a message is sent again with the first date; equal messages
// at different times get different ones.
func TestFitIsTheSameAgain(t *testing.T) {
	t.Parallel()
	read := func(at time.Time) *Content {
		c, err := Raw{Fit: true, Date: at}.Read(strings.NewReader("From: a@b.example\n\nx\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, later := read(fitAt()), read(fitAt().Add(time.Hour))
	one, other := string(write(t, first)), string(write(t, later))
	if first.MessageID() == later.MessageID() || one == other || first.Size() != later.Size() {
		t.Errorf("%q, %q", one, other)
	}
	a, _ := first.Fingerprint()
	b, _ := later.Fingerprint()
	plain, err := ReadRaw(strings.NewReader("From: a@b.example\n\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := plain.Fingerprint(); a != b || a != c {
		t.Error("the fingerprints differ")
	}
	later.Redate(fitAt())
	if again := string(write(t, later)); again != one || later.MessageID() != first.MessageID() {
		t.Errorf("%q, want %q", again, one)
	}
	plain.Redate(fitAt()) // changes nothing
}

// The author is replaced if From has no address, or always.
func TestAuthor(t *testing.T) {
	t.Parallel()
	me, err := ParseMailbox("雁 <me@b.example>")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in, from string
		replaced bool // without ReplaceAuthor
	}{
		{"From: root (Cron Daemon)\r\n\tmore\r\nTo: c@d.example\r\n\r\nx\r\n", "me@b.example", true},
		{"To: c@d.example\r\n\r\nx\r\n", "me@b.example", true},
		{"From: a@d.example\r\nTo: c@d.example\r\n\r\nx\r\n", "a@d.example", false},
	} {
		for _, always := range []bool{false, true} {
			for _, fit := range []bool{false, true} {
				c, err := Raw{Fit: fit, Author: &me, ReplaceAuthor: always}.Read(strings.NewReader(tt.in))
				if err != nil {
					t.Fatal(err)
				}
				wire := string(write(t, c))
				from, err := c.From()
				if replaced := always || tt.replaced; replaced != strings.Contains(wire, "From: =?UTF-8?B?6ZuB?= <me@b.example>\r\n") || strings.Count(wire, "From:") != 1 || strings.Contains(wire, "more") {
					t.Errorf("%q, always %v: %q", tt.in, always, wire)
				} else if err != nil || replaced && from.String() != "me@b.example" || !replaced && from.String() != tt.from {
					t.Errorf("%q: %s, %v", tt.in, from, err)
				}
			}
		}
	}
	signed := "DKIM-Signature: x\r\nFrom: a@d.example\r\n\r\nx\r\n"
	c, err := Raw{Author: &me, ReplaceAuthor: true}.Read(strings.NewReader(signed))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(write(t, c)); got != signed {
		t.Errorf("%q", got)
	}
	if _, err := (Raw{Author: &me}).Read(strings.NewReader("To: x\n\n" + strings.Repeat("x", 999))); err == nil || !strings.Contains(err.Error(), "line 3 is longer than 998") {
		t.Error(err)
	}
}

// randomMessage returns a tree of parts with every kind of defect.
func randomMessage(r *rand.Rand, depth int) string {
	text := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			switch r.IntN(6) {
			case 0:
				b.WriteString(strings.Repeat("x", r.IntN(3000)))
			case 1:
				b.WriteString(strings.Repeat("雁 ", r.IntN(400)))
			case 2:
				b.WriteString("From here = on \t")
			case 3:
				b.WriteString(".\r\n--\r\n-- \r\n")
			case 4:
				b.WriteString("\xc4\xe3\xba\xc3")
			}
			b.WriteString("\r\n")
		}
		return b.String()
	}
	switch n := r.IntN(5); {
	case n == 0 && depth < 3:
		boundary := fmt.Sprintf("b%d%d", depth, r.IntN(100))
		var b strings.Builder
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
		for range 1 + r.IntN(3) {
			b.WriteString("--" + boundary + "\r\n" + randomMessage(r, depth+1) + "\r\n")
		}
		return b.String() + "--" + boundary + "--\r\n"
	case n == 1:
		data := make([]byte, r.IntN(3000))
		for i := range data {
			data[i] = byte(r.IntN(256))
		}
		return "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(data) + "\r\n"
	case n == 2:
		return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("=E9=9B=81 a", r.IntN(200)) + "=\r\nb=20\r\n"
	case n == 3:
		return "Content-Type: application/octet-stream\r\n\r\n" + text()
	}
	return "Content-Type: text/plain; charset=utf-8; name=\"报告.txt\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text()
}

// Re-encoding keeps the contents: the parts of random messages are compared before and after, in
// both forms.
func TestFitKeepsWhatPartsSay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	changed := 0
	for range 150 {
		in := dated + "MIME-Version: 1.0\r\n" + randomMessage(r, 0)
		c := fitted(t, in)
		seven, ok := c.SevenBit()
		if !ok {
			t.Fatalf("%q: no 7-bit form", in)
		}
		want := leafBodies(t, in)
		for _, form := range []*Content{c, seven} {
			wire := string(write(t, form))
			if wire != in {
				changed++
			}
			if got := leafBodies(t, wire); strings.Join(got, "\x01") != strings.Join(want, "\x01") {
				t.Fatalf("%q\nsays %q\nwas %q", wire, got, want)
			}
			again := fitted(t, wire)
			if twice := string(write(t, again)); twice != wire {
				t.Fatalf("%q\nagain %q", wire, twice)
			}
		}
	}
	if changed < 100 {
		t.Errorf("only %d changed", changed)
	}
}

// leafBodies returns the decoded bodies, with normalized line ends.
func leafBodies(t *testing.T, wire string) []string {
	t.Helper()
	wire = strings.ReplaceAll(wire, "Content-Transfer-Encoding: 8bit\r\n", "Content-Transfer-Encoding: binary\r\n")
	var list []string
	for _, l := range parseLoosely(t, wire) {
		list = append(list, string(l))
	}
	return list
}

// FuzzFit takes any input: the result of Fit needs no further change.
func FuzzFit(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\xff\x00\n--b--\n"))
	f.Add([]byte("Subject: 你\nContent-Type: message/rfc822\n\nTo: 你 <a@b.c>\n\n" + strings.Repeat("x", 2000)))
	f.Add([]byte("Content-Transfer-Encoding: quoted-printable\n\n=3" + strings.Repeat(" =\t", 500)))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := Raw{Fit: true, Date: fitAt()}.Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		defer c.Close()
		wire := write(t, c)
		if c.EightBit() == isASCII(string(wire)) && !c.NeedsSMTPUTF8() {
			t.Fatalf("EightBit is %v: %q", c.EightBit(), wire)
		}
		if seven, ok := c.SevenBit(); ok {
			if b := write(t, seven); !isASCII(string(b)) && !c.NeedsSMTPUTF8() {
				t.Fatalf("%q is not 7-bit", b)
			}
		}
		again, err := Raw{Fit: true, Date: fitAt()}.Read(bytes.NewReader(wire))
		if err != nil {
			t.Fatalf("%q refused: %v", wire, err)
		}
		if twice := write(t, again); !bytes.Equal(twice, wire) {
			t.Fatalf("%q became %q", wire, twice)
		}
	})
}
