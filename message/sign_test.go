package message

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/yanmail/yan/dkim"
)

func testSigner() *dkim.Signer {
	return &dkim.Signer{Domain: "example.com", Selector: "s", Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
}

// A signed message is its signature and the 7-bit message, exactly as long as Size says, and has
// no other form. Package dkim and the interop tests check the signature.
func TestSign(t *testing.T) {
	t.Parallel()
	raw := func(s string) *Content {
		c, err := ReadRaw(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	eight := withAttachment(Bytes("a.bin", make([]byte, 100_000)))
	eight.EightBit, eight.Text = true, "你好"
	for _, tt := range []struct {
		name  string
		c     *Content
		eight bool
	}{
		{"composed", compose(t, eight), false},
		{"raw", raw("From: a@example.com\n\nbody\n"), false},
		{"raw without a body", raw("From: a@example.com\n"), false},
		{"raw in 8-bit", raw("From: a@example.com\n\n你好\n"), true},
	} {
		signed, err := tt.c.Sign(testSigner(), testSigner())
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		base := tt.c
		if seven, ok := tt.c.SevenBit(); ok {
			base = seven
		}
		plain, wire := write(t, base), write(t, signed)
		if !bytes.HasPrefix(wire, []byte("DKIM-Signature: v=1;")) || !bytes.HasSuffix(wire, append([]byte("\r\n"), plain...)) ||
			bytes.Count(wire, []byte("DKIM-Signature:")) != 2 {
			t.Errorf("%s: signed\n%.900s", tt.name, wire)
		}
		again, err := base.Sign(testSigner(), testSigner())
		if err != nil || len(write(t, again)) != len(wire) || signed.MessageID() != tt.c.MessageID() {
			t.Errorf("%s: signed again, %v, %d octets instead of %d", tt.name, err, again.Size(), len(wire))
		}
		if signed.EightBit() != tt.eight || signed.IsBinary() {
			t.Errorf("%s: signed in another form", tt.name)
		}
		if seven, ok := signed.SevenBit(); ok != !tt.eight || ok && seven != signed {
			t.Errorf("%s: another 7-bit form", tt.name)
		}
		if _, ok := signed.Binary(); ok {
			t.Errorf("%s: a signed message has a binary form", tt.name)
		}
		if _, err := signed.Envelope(); (err == nil) != (tt.name == "composed") {
			t.Errorf("%s: envelope %v", tt.name, err)
		}
		if unsigned, err := tt.c.Sign(); unsigned != tt.c || err != nil {
			t.Errorf("%s: without a signer: %v", tt.name, err)
		}
		if err := tt.c.Close(); err != nil {
			t.Fatal(err)
		}
		if n, err := signed.WriteTo(io.Discard); n != 0 || err == nil {
			t.Errorf("%s: the signed form of a closed Content wrote %d octets", tt.name, n)
		}
		if _, err := tt.c.Sign(testSigner()); err == nil {
			t.Errorf("%s: a closed Content was signed", tt.name)
		}
	}
}

// Signing the binary form signs the 7-bit form, too.
func TestSignOfBinary(t *testing.T) {
	t.Parallel()
	c := compose(t, withAttachment(Bytes("a.bin", make([]byte, 1000))))
	binary, ok := c.Binary()
	if !ok {
		t.Fatal("no binary form")
	}
	signed, err := binary.Sign(testSigner())
	if err != nil {
		t.Fatal(err)
	}
	if wire := write(t, signed); signed.IsBinary() || !bytes.HasSuffix(wire, write(t, c)) {
		t.Errorf("signed as\n%s", wire)
	}
}

func TestSignFails(t *testing.T) {
	t.Parallel()
	f := &fickle{Reader: bytes.NewReader(make([]byte, 5000))}
	c := compose(t, withAttachment(Reader("x.bin", f)))
	if _, err := c.Sign(&dkim.Signer{Domain: "example.com"}); err == nil || !strings.Contains(err.Error(), "selector") {
		t.Errorf("a signer without a selector: %v", err)
	}
	f.fail = errors.New("disk on fire")
	if _, err := c.Sign(testSigner()); !errors.Is(err, f.fail) {
		t.Errorf("an attachment that can't be read: %v", err)
	}
}

// Signing needs no more memory than sending.
func TestSignMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8<<20); err != nil { // sparse
		t.Fatal(err)
	}
	c := compose(t, withAttachment(File(path)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	signed, err := c.Sign(testSigner())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := signed.WriteTo(io.Discard); err != nil || n != signed.Size() || n < 10<<20 {
		t.Fatalf("%d, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 512<<10 {
		t.Errorf("%d KiB allocated for 8 MiB", used>>10)
	}
}

// Compose signs a message that names its signers, and fails if signing fails.
func TestComposeSigns(t *testing.T) {
	t.Parallel()
	m := withAttachment(Bytes("a.bin", make([]byte, 1000)))
	m.DKIM = []*dkim.Signer{testSigner(), testSigner()}
	c := compose(t, m)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil || int64(b.Len()) != c.Size() {
		t.Errorf("%d octets of %d, %v", b.Len(), c.Size(), err)
	}
	if n := strings.Count(b.String(), "DKIM-Signature: "); n != 2 || !strings.HasPrefix(b.String(), "DKIM-Signature: ") {
		t.Errorf("%d signatures", n)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	m.DKIM = []*dkim.Signer{{Domain: "no domain", Selector: "s", Key: testSigner().Key}}
	if _, err := Compose(m); err == nil || !strings.Contains(err.Error(), "dkim") {
		t.Errorf("error %v", err)
	}
}
