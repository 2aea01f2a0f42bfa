package repair_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/repair"
)

// inMemory is a source whose octets are in memory.
type inMemory struct {
	*bytes.Reader
	octets []byte
}

func (m inMemory) Bytes() []byte { return m.octets }

var madeIDs = regexp.MustCompile(`<[^<>]*@corp\.example>|boundary="?[^"\r\n]*|--[^\r\n]*`)

// sameRepair repairs a message from a file and from memory, and checks that both are the same but for
// what is random.
func sameRepair(t *testing.T, in []byte, o repair.Options) {
	t.Helper()
	before := bytes.Clone(in)
	m, err := repair.Read(strings.NewReader(string(in)), int64(len(in)), o)
	n, memoryErr := repair.Read(inMemory{bytes.NewReader(in), in}, int64(len(in)), o)
	if err != nil || memoryErr != nil {
		if err == nil || memoryErr == nil || err.Error() != memoryErr.Error() {
			t.Errorf("%.200q: %v, in memory %v", in, err, memoryErr)
		}
		return
	}
	got, want := wire(t, n), wire(t, m)
	if madeIDs.ReplaceAllString(got, "") != madeIDs.ReplaceAllString(want, "") || !slices.Equal(m.Changes(), n.Changes()) || m.Key() != n.Key() || len(m.Recipients()) != len(n.Recipients()) {
		t.Errorf("%.200q: in memory %v\n%.2000q\nfrom a file %v\n%.2000q", in, n.Changes(), got, m.Changes(), want)
	}
	head, _, _ := strings.Cut(got, "\r\n\r\n")
	if h, err := n.ReadHeader(); err != nil || string(h.Bytes()) != head+"\r\n" && head != "" {
		t.Errorf("%.200q: the header is %q, %v", in, h.Bytes(), err)
	}
	if !bytes.Equal(in, before) {
		t.Errorf("%.200q: the source was changed", before)
	}
}

// What is in memory is read as what is in a file.
func TestInMemory(t *testing.T) {
	t.Parallel()
	for _, r := range recordedMessages(t) {
		sameRepair(t, r.octets(t), rewriting(t))
	}
	for _, in := range []string{
		"", "x", "\n", "\r", "\xef\xbb\xbf", "\xef\xbb\xbf\nx", "From x\n>From y\nSubject: x\n\ny", "A: b\rC: d\r\rx\ry", "A:" + strings.Repeat("x\r", 3000) + "\n\ny",
		"Yan-Key: k\n\ny", rest + "\n\xc4\xe3\xba\xc3\xc4", plainText + "\nx\r\n", plainText + "\nx\n", plainText + "\nx", plainText + "\n你好\x00\n\xff", plainText + "X: " + strings.Repeat("x", 9<<20) + "\n\n",
		strings.Repeat("x", 9<<20), plainText + "\n" + strings.Repeat("0123456789\n", 30_000), crlf(plainText) + "\r\n" + strings.Repeat("0123456789\r\n", 30_000),
		"Date: Tue, 1 Dec 2026 07:00:00 +0000 (UTC)\nMessage-ID: <1@corp.example>\n\nx", "To: <a@b.example>\nFrom: <me@corp.example>\n\nx",
	} {
		sameRepair(t, []byte(in), rewriting(t))
	}
}
