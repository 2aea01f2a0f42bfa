package message

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
)

func TestQuotedPrintable(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "a b\tc!~", "a b\tc!~"},
		{"escaped", "a=b é \x00\x7f", "a=3Db =C3=A9 =00=7F"},
		{"trailing blanks", "a \r\nb\t\r\n \r\nc ", "a=20\r\nb=09\r\n=20\r\nc=20"},
		{"From", "From me\r\nfrom\r\n>From\r\nFrom: x", "=46rom me\r\nfrom\r\n>From\r\nFrom: x"},
		{"dots", ".\r\n..\r\na.", "=2E\r\n=2E.\r\na."},
		{"76 in a line", x(76) + "\r\n", x(76) + "\r\n"},
		{"77 in a line", x(77) + "\r\n", x(75) + "=\r\nxx\r\n"},
		{"76 at the end", x(76), x(76)},
		{"escape at the end", x(73) + "=\r\n", x(73) + "=3D\r\n"},
		{"escape over the end", x(74) + "=\r\n", x(74) + "=\r\n=3D\r\n"},
		{"blank before a soft break", x(74) + " " + x(5), x(74) + " =\r\nxxxxx"},
		{"dot after a soft break", x(75) + "." + x(5), x(75) + "=\r\n=2Exxxxx"},
		{"From after a soft break", x(75) + "From me", x(75) + "=\r\n=46rom me"},
	}
	for _, tt := range tests {
		q := newQuotedPrintable(tt.in)
		o := &output{w: io.Discard, size: q.size(), buf: make([]byte, 0, 1000)}
		if err := q.emitTo(o); err != nil {
			t.Fatal(err)
		}
		if got := string(o.buf); got != tt.want || q.size() != int64(len(got)) {
			t.Errorf("%s: %q of size %d, want %q", tt.name, got, q.size(), tt.want)
		}
		if back, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(o.buf))); err != nil || string(back) != tt.in {
			t.Errorf("%s: read back as %q, %v", tt.name, back, err)
		}
	}
}

func TestBase64Lines(t *testing.T) {
	t.Parallel()
	for n := range 300 {
		got := appendBase64(nil, make([]byte, n))
		if int64(len(got)) != base64Size(int64(n)) {
			t.Fatalf("%d octets become %d, not %d", n, len(got), base64Size(int64(n)))
		}
		lines := strings.SplitAfter(string(got), "\r\n")
		for i, line := range lines[:len(lines)-1] {
			if full := i < len(lines)-2; full && len(line) != 78 || len(line) > 78 {
				t.Fatalf("%d octets: line %d is %q", n, i, line)
			}
		}
	}
}

func TestChooseTransfer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text   string
		seven, eight encoding
	}{
		{"empty", "", sevenBit, sevenBit},
		{"ascii", "Hello\tWorld\n", sevenBit, sevenBit},
		{"ascii of 78", strings.Repeat("x", 78) + "\r\n", sevenBit, sevenBit},
		{"ascii of 79", strings.Repeat("x", 79) + "\n", quotedText, quotedText},
		{"mostly ascii", "Viele Grüße aus Köln\n", quotedText, eightBit},
		{"chinese", "你好，世界\n", base64Encoding, eightBit},
		{"chinese in a long line", strings.Repeat("你", 400), base64Encoding, base64Encoding},
		{"chinese of 900", strings.Repeat("你", 300), base64Encoding, eightBit},
		{"chinese of 903", strings.Repeat("你", 301), base64Encoding, base64Encoding},
		{"NUL", "a\x00b", quotedText, quotedText},
		{"control characters", "\x1b[1m", quotedText, quotedText},
		{"From", "a\nFrom me\n", quotedText, quotedText},
		{"a boundary", "a\n--=_x\n", quotedText, quotedText},
	}
	for _, tt := range tests {
		if _, got := prepareText(tt.text); got.seven != tt.seven || got.eight != tt.eight {
			t.Errorf("%s: %s and %s, want %s and %s", tt.name, got.seven, got.eight, tt.seven, tt.eight)
		}
	}
}

// Every octet at every position of lines of up to three words is detected, and nothing is
// detected elsewhere.
func TestKindsOfEveryOctet(t *testing.T) {
	t.Parallel()
	for n := range 25 {
		line := bytes.Repeat([]byte("~"), n)
		for at := range n {
			for c := range 256 {
				line[at] = byte(c)
				var want byteKind
				switch {
				case c >= 128:
					want = nonASCII
				case c == '\r':
					want = oddLineEnd
				case c < ' ' && c != '\t', c == 127:
					want = control
				}
				if got := kindsIn(string(line)); got != want {
					t.Fatalf("octet %#x at %d of %d is %b, want %b", c, at, n, got, want)
				}
			}
			line[at] = " ~"[at%2]
		}
	}
	for text, want := range map[string]byteKind{"": 0, "a\r\nb": 0, "a\r\n": 0, "a\n": oddLineEnd, "a\r": oddLineEnd, "\n\r\n": oddLineEnd,
		"\r\r\n": oddLineEnd, "a\rb\r\n": oddLineEnd, "\r\nü": nonASCII} {
		if got := factsOf(text).kinds; got != want {
			t.Errorf("%q is %b, want %b", text, got, want)
		}
	}
}

func TestEightBit(t *testing.T) {
	t.Parallel()
	m := &Message{From: "a@example.com", To: []string{"b@example.com"}, Text: "你好", HTML: "<p>你好</p>\n", EightBit: true,
		Attachments: []Attachment{Bytes("a.bin", []byte("你好"))}}
	c := compose(t, m)
	if !c.EightBit() || c.NeedsSMTPUTF8() {
		t.Error("not 8-bit")
	}
	wire := write(t, c)
	if n := bytes.Count(wire, []byte("Content-Transfer-Encoding: 8bit\r\n")); n != 4 { // mixed, alternative, text, html
		t.Errorf("%d parts are 8bit in\n%s", n, wire)
	}
	seven, ok := c.SevenBit()
	if !ok || seven.EightBit() || seven.MessageID() != c.MessageID() {
		t.Fatalf("%v, %+v", ok, seven)
	}
	if same, ok := seven.SevenBit(); !ok || same != seven {
		t.Error("the 7-bit form of the 7-bit form is another")
	}
	sevenWire := write(t, seven)
	if !isASCII(string(sevenWire)) {
		t.Errorf("not 7-bit:\n%s", sevenWire)
	}
	head, _, _ := bytes.Cut(wire, []byte("Content-Type"))
	if sevenHead, _, _ := bytes.Cut(sevenWire, []byte("Content-Type")); !bytes.Equal(head, sevenHead) {
		t.Errorf("header %q and %q", head, sevenHead)
	}
	for i, l := range parse(t, sevenWire).leaves {
		if want := []string{"你好", "<p>你好</p>\r\n", "你好"}[i]; string(l.body) != want {
			t.Errorf("leaf %d is %q", i, l.body)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := seven.WriteTo(io.Discard); err == nil {
		t.Error("the 7-bit form outlives its sources")
	}
	m.EightBit = false
	if c := compose(t, m); c.EightBit() || !isASCII(string(write(t, c))) {
		t.Error("8-bit though not asked for")
	}
}
