//go:build interop && linux

package interop

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/dkim"
	"github.com/yanmail/yan/message"
)

// verifier is Debian's python3-dkim.
type verifier struct {
	root    string // the root directory of its packages
	records map[string]string
}

// fetchVerifier fetches the verifier, or skips the test with the reason; with
// CI=true that is a failure.
func fetchVerifier(t *testing.T) *verifier {
	t.Helper()
	root := fetchOrSkip(t, "the verifier", "dkim.sh", "fetch", filepath.Join("..", ".cache", "dkim"))
	return &verifier{root: root, records: map[string]string{}}
}

// signer returns a signer whose public key the verifier finds.
func (v *verifier) signer(t *testing.T, selector string, key crypto.Signer) *dkim.Signer {
	t.Helper()
	s := &dkim.Signer{Domain: "example.com", Selector: selector, Key: key}
	name, text, err := s.Record()
	if err != nil {
		t.Fatal(err)
	}
	v.records[name] = text
	return s
}

// verify returns the verifier's result for each signature: "" or the reason why
// it is invalid.
func (v *verifier) verify(t *testing.T, wire []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "message.eml")
	if err := os.WriteFile(file, wire, 0o600); err != nil {
		t.Fatal(err)
	}
	records, err := json.Marshal(v.records)
	if err != nil {
		t.Fatal(err)
	}
	var problems bytes.Buffer
	command := exec.Command(python, "-I", "dkimverify.py", v.root, file)
	command.Stdin, command.Stderr = bytes.NewReader(records), &problems
	if v.root != "/" {
		libraries, err := filepath.Glob(filepath.Join(v.root, "usr", "lib", "*-linux-gnu*"))
		if err != nil {
			t.Fatal(err)
		}
		command.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	}
	out, err := command.Output()
	if err != nil {
		t.Fatalf("verify: %v\n%s", err, problems.String())
	}
	var verdicts []any
	if err := json.Unmarshal(out, &verdicts); err != nil {
		t.Fatalf("verify: %v", err)
	}
	var reasons []string
	for _, verdict := range verdicts {
		reason, wrong := verdict.(string)
		if good, ok := verdict.(bool); !wrong && !(ok && good) {
			t.Fatalf("verify: %s", out)
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// The verifier accepts our signatures, and rejects them after a change.
func TestDKIM(t *testing.T) {
	t.Parallel()
	v := fetchVerifier(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signers := []*dkim.Signer{v.signer(t, "ed", edKey), v.signer(t, "rsa", rsaKey)}

	compose := func(m message.Message) *message.Content {
		m.From = "雁 <me@example.com>"
		if m.To == nil {
			m.To = []string{"friend@example.net"}
		}
		c, err := message.Compose(&m)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	raw := func(s string) *message.Content {
		c, err := message.ReadRaw(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const head = "From: me@example.com\nTo: a@b.example\nTo:  c@d.example \nSubject:   folded\n\t  twice \n here\t\nX:\n\n"
	for name, content := range map[string]*message.Content{
		"text": compose(message.Message{Subject: "第一封测试邮件", Text: "Hello  World \t \n\n\n  x\n\n\n"}),
		"everything": compose(message.Message{Subject: strings.Repeat("很长的主题 ", 30), Text: "你好\n", HTML: "<p>你好</p>", EightBit: true,
			To: slices.Repeat([]string{"friend@example.net"}, 200), Headers: []message.Header{{Name: "List-Unsubscribe", Value: "<https://example.com/u>"}},
			Attachments: []message.Attachment{message.Bytes("报告.pdf", make([]byte, 200_000)), message.Bytes("empty", nil)}}),
		"no body":       compose(message.Message{Subject: "nothing"}),
		"raw":           raw(head + "a  b\t\n\n.\n..\nlast line without an end  "),
		"raw in 8-bit":  raw(head + "你好\n"),
		"only a header": raw("From: me@example.com\n"),
		"empty lines":   raw(head + "\n \n\t\n\n"),
		"ends in lines": raw(head + "\n\nx\n\n\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			defer content.Close()
			signed, err := content.Sign(signers...)
			if err != nil {
				t.Fatal(err)
			}
			var wire bytes.Buffer
			if _, err := signed.WriteTo(&wire); err != nil {
				t.Fatal(err)
			}
			if got := v.verify(t, wire.Bytes()); len(got) != 2 || got[0] != "" || got[1] != "" {
				t.Errorf("the verifier says %q of\n%.2000s", got, wire.Bytes())
			}
			for what, changed := range map[string][]byte{
				"another From": bytes.Replace(wire.Bytes(), []byte("me@example.com>"), []byte("eve@example.com>"), 1),
				"a second From": bytes.Replace(wire.Bytes(), []byte("\r\nFrom:"),
					[]byte("\r\nFrom: eve@example.com\r\nFrom:"), 1),
				"a longer body": append(bytes.Clone(wire.Bytes()), "\r\nmore\r\n"...),
			} {
				if bytes.Equal(changed, wire.Bytes()) {
					continue // the From of whole messages has no name
				}
				for i, reason := range v.verify(t, changed) {
					if reason == "" {
						t.Errorf("the verifier accepts signature %d with %s", i, what)
					}
				}
			}
		})
	}
}
