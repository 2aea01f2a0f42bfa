//go:build interop && linux

package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A message that --fit changed and a server deferred is sent later, once, as it
// was when it was enqueued: with its original Date and Message-ID, even if the
// file has changed.
func TestFittedMessageGoesOutAfterADeferral(t *testing.T) {
	t.Parallel()
	p := startPeerNamed(t, "gosmtp")
	dir := t.TempDir()
	file := filepath.Join(dir, "saved.eml")
	saved := "From: 雁 <a@example.test>\r\nTo: 甲 <once-1@example.test>, good@example.test\r\nSubject: 季度报告\r\n\r\n" +
		strings.Repeat("一行很长的文字", 300) + "\r\n.\r\nend\x00\r\n"
	if err := os.WriteFile(file, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	h := (*servers)(nil).newHome(t, "version = 1\n[account.mine]\nfrom = \"a@example.test\"\nserver = \""+p.server()+"\"\nauth = \"none\"\n")
	run := func(exit int, args ...string) ran {
		t.Helper()
		r := h.yan(t, append(args, "--outbox", filepath.Join(dir, "outbox.db"))...)
		if r.exit != exit {
			t.Fatalf("%q: exit status %d, want %d\n%s%s", args, r.exit, exit, r.stdout, r.stderr)
		}
		return r
	}
	run(0, "send", "--queue", "--to-policy", "any", "--raw", "--fit", file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	run(exitPartial, "queue", "run") // the first recipient is deferred
	kept := run(0, "queue", "export", "1").stdout
	run(0, "queue", "retry", "1")
	run(0, "queue", "run")
	run(0, "queue", "run") // nothing is left
	stored, err := filepath.Glob(filepath.Join(p.dir, "box", "*"))
	if err != nil || len(stored) != 2 {
		t.Fatalf("the server has %q, %v; want one message for each recipient", stored, err)
	}
	for _, name := range stored {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != kept {
			t.Errorf("%s is\n%q, want\n%q", name, text, kept)
		}
		header, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
		for _, want := range []string{"\r\nMessage-ID: <", "Date: ", "=?UTF-8?"} {
			if !bytes.Contains(header, []byte(want)) {
				t.Errorf("no %q in %q", want, header)
			}
		}
		if bytes.ContainsFunc(header, func(r rune) bool { return r > 126 }) || bytes.Contains(body, []byte{0}) {
			t.Errorf("it was not fitted: %q", text)
		}
	}
}
