//go:build interop && linux

package interop

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startPeerNamed fetches and starts one of the peers.
func startPeerNamed(t *testing.T, script string) *runningPeer {
	t.Helper()
	for _, p := range peers() {
		if p.script != script {
			continue
		}
		roots, absent := fetchPeers(t, []peer{p})
		if reason, none := absent[script]; none {
			t.Skip(reason)
		}
		return startPeer(t, p, roots[script])
	}
	t.Fatalf("no peer %s", script)
	return nil
}

// Both versions of go-smtp offer BINARYMIME, and refuse 2,000 octets without a
// line end that arrive together with their BDAT. 5,000 zeros are delivered
// there all the same, by each command, octet for octet.
func TestZerosAtGoSMTP(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"gosmtp", "gosmtp-older"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			p := startPeerNamed(t, script)
			p.checkRefusesBinary(t)
			zeros := bytes.Repeat([]byte{0}, 5000)
			dir := t.TempDir()
			file := filepath.Join(dir, "zeros.bin")
			whole := filepath.Join(dir, "whole.eml")
			for name, content := range map[string]string{file: string(zeros), whole: "From: a@example.test\r\nTo: good@example.test\r\nMIME-Version: 1.0\r\n" +
				"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/octet-stream; name=zeros.bin\r\n" +
				"Content-Disposition: attachment; filename=zeros.bin\r\nContent-Transfer-Encoding: binary\r\n\r\n" + string(zeros) + "\r\n--x--\r\n"} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			const want = 4 // one from the first command and three from the second
			for _, door := range [][]string{
				{"-f", "a@example.test", "-t", "good@example.test", "-s", "zeros", "-b", "text", "-a", file},
				{"--raw", "--fit", whole, copyOf(t, whole), copyOf(t, whole)},
			} {
				r := (*servers)(nil).yan(t, authentication{none: true}, append([]string{"send", "--server", p.server()}, door...)...)
				if r.exit != 0 {
					t.Fatalf("%q: exit status %d\n%s%s", door, r.exit, r.stdout, r.stderr)
				}
			}
			stored, err := filepath.Glob(filepath.Join(p.dir, "box", "*"))
			if err != nil || len(stored) != want {
				t.Fatalf("%d messages are stored, want %d: %v", len(stored), want, err)
			}
			for _, name := range stored {
				if got := attachmentOf(t, name); !bytes.Equal(got, zeros) {
					t.Errorf("%s: the attachment has %d octets: %.60q", name, len(got), got)
				}
			}
			// Without --fit the message can't be sent: that is reported, and
			// nothing is sent.
			r := (*servers)(nil).yan(t, authentication{none: true}, "send", "--server", p.server(), "--raw", whole)
			if after, _ := filepath.Glob(filepath.Join(p.dir, "box", "*")); r.exit == 0 || len(after) != want {
				t.Errorf("without --fit: exit status %d, %d messages stored\n%s%s", r.exit, len(after), r.stdout, r.stderr)
			}
		})
	}
}

func copyOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "copy.eml")
	if err := os.WriteFile(other, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return other
}

// checkRefusesBinary checks that the server still has the flaw that Yan avoids.
// If a version accepts the message, Yan may send it binary data.
func (p *runningPeer) checkRefusesBinary(t *testing.T) {
	t.Helper()
	conn, err := textproto.Dial("tcp", loopback(p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := conn.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"EHLO client.example.test", "MAIL FROM:<a@example.test> BODY=BINARYMIME", "RCPT TO:<good@example.test>"} {
		if err := conn.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		_, said, err := conn.ReadResponse(250)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if strings.HasPrefix(line, "EHLO") && !strings.Contains(said, "BINARYMIME") {
			t.Fatalf("BINARYMIME is not offered: %s", said)
		}
	}
	text := "Subject: zeros\r\n\r\n" + strings.Repeat("\x00", 5000)
	if _, err := fmt.Fprintf(conn.W, "BDAT %d LAST\r\n%s", len(text), text); err != nil {
		t.Fatal(err)
	}
	if err := conn.W.Flush(); err != nil {
		t.Fatal(err)
	}
	code, said, err := conn.ReadResponse(0)
	if code/100 == 2 || err != nil {
		t.Errorf("5,000 zeros in the write of their BDAT: %d %s, %v; 500 was expected", code, said, err)
	}
}

// attachmentOf returns the decoded content of a message's only attachment, as
// the standard library reads it.
func attachmentOf(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatalf("%s: no attachment: %v", file, err)
		}
		if part.FileName() == "" {
			continue
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(part); err != nil {
			t.Fatal(err)
		}
		if part.Header.Get("Content-Transfer-Encoding") != "base64" {
			return b.Bytes()
		}
		decoded, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(b.String(), "\r\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		return decoded
	}
}
