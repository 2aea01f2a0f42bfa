package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// The measured variants of base64 in lines; decision 10 has the figures.
var base64Ways = []struct {
	name   string
	append func(dst, src []byte) []byte
}{
	{"table of pairs", appendBase64},
	{"encoding/base64 per line", base64PerLine},
	{"encoding/base64 in blocks", base64InBlocks},
	{"encoding/base64 writer", base64Writer},
}

func base64PerLine(dst, src []byte) []byte {
	for len(src) > 0 {
		group := src[:min(base64Group, len(src))]
		src = src[len(group):]
		dst = append(base64.StdEncoding.AppendEncode(dst, group), '\r', '\n')
	}
	return dst
}

// base64InBlocks encodes src at the end of the buffer and moves it into place line by line.
func base64InBlocks(dst, src []byte) []byte {
	at, size := len(dst), int(base64Size(int64(len(src))))
	dst = append(dst, make([]byte, size)...)
	encoded := dst[len(dst)-base64.StdEncoding.EncodedLen(len(src)):]
	base64.StdEncoding.Encode(encoded, src)
	for len(encoded) > 0 {
		n := copy(dst[at:], encoded[:min(base64Line, len(encoded))])
		encoded = encoded[n:]
		dst[at+n], dst[at+n+1] = '\r', '\n'
		at += n + 2
	}
	return dst
}

func base64Writer(dst, src []byte) []byte {
	out := bytes.NewBuffer(dst)
	lines := &lineBreaker{w: out}
	e := base64.NewEncoder(base64.StdEncoding, lines)
	e.Write(src)
	e.Close()
	if lines.col > 0 {
		out.WriteString("\r\n")
	}
	return out.Bytes()
}

// lineBreaker inserts a CRLF after every 76 octets.
type lineBreaker struct {
	w   io.Writer
	col int
}

func (l *lineBreaker) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), base64Line-l.col)
		l.w.Write(p[:n])
		p = p[n:]
		if l.col += n; l.col == base64Line {
			l.col = 0
			l.w.Write([]byte("\r\n"))
		}
	}
	return total, nil
}

// For all octets, lengths and prefixes, the result equals that of encoding/base64, and no octet
// beyond it is written.
func TestBase64IsThatOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	src := make([]byte, 5*base64Group)
	for i := range src {
		src[i] = byte(r.Uint32())
	}
	for n := range src {
		for _, head := range []string{"", "x", "head\r\n"} {
			for _, room := range []int{0, int(base64Size(int64(n))), int(base64Size(int64(n))) + 9} {
				dst := append(make([]byte, 0, len(head)+room), head...)
				beyond := dst[:cap(dst)]
				for i := len(head); i < len(beyond); i++ {
					beyond[i] = '#'
				}
				want := base64PerLine([]byte(head), src[:n])
				for _, way := range base64Ways {
					if got := way.append(bytes.Clone(dst), src[:n]); !bytes.Equal(got, want) {
						t.Fatalf("%s: %d octets after %q: got %q, want %q", way.name, n, head, got, want)
					}
				}
				if got := appendBase64(dst, src[:n]); int64(len(got)) != base64Size(int64(n))+int64(len(head)) {
					t.Fatalf("%d octets became %d, base64Size says %d", n, len(got), base64Size(int64(n)))
				}
				for i := len(want); i < len(beyond); i++ {
					if beyond[i] != '#' {
						t.Fatalf("%d octets after %q: octet %d beyond the end was changed", n, head, i-len(want))
					}
				}
			}
		}
	}
	// Each of the 4096 pairs at each of its four positions, and at the end of a line.
	for pair := range 1 << 12 {
		var group [base64Group]byte
		for i := 0; i < len(group); i += 3 {
			group[i], group[i+1], group[i+2] = byte(pair>>4), byte(pair<<4|pair>>8), byte(pair)
		}
		if got, want := appendBase64(nil, group[:]), base64PerLine(nil, group[:]); !bytes.Equal(got, want) {
			t.Fatalf("pair %d: got %q, want %q", pair, got, want)
		}
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("any carnal pleasure."), 3)
	f.Add(make([]byte, 200), 2)
	f.Fuzz(func(t *testing.T, src []byte, times int) {
		src = bytes.Repeat(src, max(0, min(times, 8)))
		if got, want := appendBase64(nil, src), base64PerLine(nil, src); !bytes.Equal(got, want) {
			t.Fatalf("%q became %q, want %q", src, got, want)
		}
	})
}

// BenchmarkBase64 compares the variants on one block of a file:
//
// go test -run '^$' -bench Base64 -count 5 ./message
func BenchmarkBase64(b *testing.B) {
	src := make([]byte, inputBlock)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range src {
		src[i] = byte(r.Uint32())
	}
	for _, way := range base64Ways {
		b.Run(way.name, func(b *testing.B) {
			dst := make([]byte, 0, base64Size(int64(len(src))))
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				way.append(dst, src)
			}
		})
	}
	b.Run(fmt.Sprintf("copy of %d octets", len(src)), func(b *testing.B) {
		dst := make([]byte, len(src))
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			copy(dst, src)
		}
	})
}
