package dkim

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// transcript is a "hash" that records the hashed octets.
type transcript struct{ bytes.Buffer }

func (t *transcript) Sum([]byte) []byte { return t.Bytes() }
func (t *transcript) Size() int         { return 0 }
func (t *transcript) BlockSize() int    { return 1 }

var _ hash.Hash = (*transcript)(nil)

func relaxBody(pieces ...string) string {
	b := relaxedBody{hash: &transcript{}}
	for _, p := range pieces {
		if n, err := b.Write([]byte(p)); n != len(p) || err != nil {
			panic("short write")
		}
	}
	return string(b.sum())
}

func TestRelaxedBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"}, // RFC 6376 section 3.4.5
		{"", ""},
		{"\r\n", ""},
		{" \t\r\n\r\n \r\n", ""},
		{"a", "a\r\n"},
		{"a\r\n", "a\r\n"},
		{"a \r\n\r\n\t\r\n", "a\r\n"},
		{"\r\n\r\na\r\n", "\r\n\r\na\r\n"},
		{"a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
		{"  a  b\t\tc \t d  ", " a b c d\r\n"},
		{"a\rb\nc\r\n", "a\rb\nc\r\n"},
		{"a\r\r\n", "a\r\r\n"},
		{"a\r", "a\r\r\n"},
		{strings.Repeat("\r\n", 10_000) + "a", strings.Repeat("\r\n", 10_000) + "a\r\n"},
		{strings.Repeat("a", 10_000), strings.Repeat("a", 10_000) + "\r\n"},
	} {
		if got := relaxBody(tt.in); got != tt.want {
			t.Errorf("%.40q became %.60q, want %.60q", tt.in, got, tt.want)
		}
		if got := naiveBody(tt.in); got != tt.want {
			t.Errorf("the reference makes %.60q of %.40q, want %.60q", got, tt.in, tt.want)
		}
	}
}

var (
	blanksAtEnd = regexp.MustCompile(`[ \t]+(\r\n|$)`)
	blankRun    = regexp.MustCompile(`[ \t]+`)
)

// naiveBody applies RFC 6376 section 3.4.4 literally to a body in memory.
func naiveBody(s string) string {
	s = blanksAtEnd.ReplaceAllString(s, "$1")
	s = blankRun.ReplaceAllString(s, " ")
	for strings.HasSuffix(s, "\r\n") {
		s = strings.TrimSuffix(s, "\r\n")
	}
	if s == "" {
		return ""
	}
	return s + "\r\n"
}

// A body has the same hash wherever it is cut.
func FuzzRelaxedBody(f *testing.F) {
	f.Add([]byte(" C \r\nD \t E\r\n\r\n\r\n"), uint64(1))
	f.Add([]byte("a\r\r\n \r\n\t\r\nb \r"), uint64(2))
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		want := relaxBody(string(body))
		if naive := naiveBody(string(body)); naive != want {
			t.Fatalf("%q became %q, the reference makes %q", body, want, naive)
		}
		for at := range len(body) + 1 {
			if got := relaxBody(string(body[:at]), string(body[at:])); got != want {
				t.Fatalf("%q cut at %d became %q, whole %q", body, at, got, want)
			}
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var pieces []string
		for rest := string(body); rest != ""; {
			n := 1 + r.IntN(len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if got := relaxBody(pieces...); got != want {
			t.Fatalf("%q became %q, whole %q", pieces, got, want)
		}
	})
}

func TestRelaxedHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"A: X\r\nB : Y\t\r\n\tZ  \r\n", "a:X|b:Y Z"}, // RFC 6376 section 3.4.5
		{"Subject:a\r\n  \t b\r\n", "subject:a b"},
		{"Subject:\r\n a\r\n", "subject:a"},
		{"Subject: \r\n", "subject:"},
		{"X-Empty:\r\n", "x-empty:"},
		{"SUBJect: A:B : C\r\n", "subject:A:B : C"},
		{"a: 1\r\nno field\r\na: 2", "a:1|a:2"},
		{"a: bare\rCR and bare\nLF\r\n", "a:bare\rCR and bare\nLF"},
		{"", ""},
	} {
		var lines []string
		for _, f := range splitHeader([]byte(tt.in)) {
			lines = append(lines, string(f.relaxed(nil)))
		}
		if got := strings.Join(lines, "|"); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Header and body are separated at the same place wherever the message is cut.
func FuzzSplitMessage(f *testing.F) {
	f.Add("From: a@b.c\r\nTo: d\r\n\r\nbody\r\n\r\n")
	f.Add("From: a@b.c\r\n")
	f.Add("\r\n\r\n\r\r\n")
	f.Add("no field\r\n in two lines: x")
	f.Fuzz(func(t *testing.T, message string) {
		head, body, cut := strings.Cut(message, "\r\n\r\n")
		if cut {
			head += "\r\n"
		}
		for at := range len(message) + 1 {
			p := pass{body: relaxedBody{hash: &transcript{}}}
			for _, piece := range []string{message[:at], message[at:]} {
				if n, err := p.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Fatal(n, err)
				}
			}
			if got := string(p.header); got != head || p.inBody != cut {
				t.Fatalf("%q cut at %d has the header %q, want %q", message, at, got, head)
			}
			if got := string(p.body.sum()); got != naiveBody(body) {
				t.Fatalf("%q cut at %d has the body %q, want %q", message, at, got, naiveBody(body))
			}
		}
		for _, f := range splitHeader([]byte(head)) {
			line := f.relaxed(nil)
			if bytes.Contains(line, []byte("\r\n")) || bytes.Contains(line, []byte("  ")) || bytes.HasSuffix(line, []byte(" ")) {
				t.Fatalf("%q is relaxed to %q", f.text, line)
			}
		}
	})
}

func BenchmarkRelaxedBody(b *testing.B) {
	for name, line := range map[string]string{
		"base64": strings.Repeat("A", 76) + "\r\n",
		"text":   "The quick brown fox jumps over the lazy dog, and over the wall as well.\r\n",
	} {
		block := []byte(strings.Repeat(line, 32<<10/len(line)))
		b.Run(name, func(b *testing.B) {
			h := sha256.New()
			body := relaxedBody{hash: h}
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := body.Write(block); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("SHA-256 alone", func(b *testing.B) {
		h, block := sha256.New(), make([]byte, 32<<10)
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			h.Write(block)
		}
	})
}
