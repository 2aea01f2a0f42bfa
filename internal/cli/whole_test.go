package cli

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// A log of a version that sent the mailbox's own header fields still recognises sent messages.
func TestLogOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	dir := t.TempDir()
	mail := "Status: RO\r\nFrom: me@example.org\r\nTo: a@example.org\r\n\r\nx\r\n"
	file, path := filepath.Join(dir, "a.eml"), filepath.Join(dir, "run.log")
	if err := os.WriteFile(file, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := sendlog.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	to, err := smtp.ParseAddress("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	e := &sendlog.LogEntry{Hash: sha256.Sum256([]byte(mail)), File: file, From: to, To: []smtp.Address{to}, Copies: []int{1}}
	if err := log.Attempt(e); err != nil {
		t.Fatal(err)
	}
	if err := log.Settle(e, "", "", []smtp.Outcome{{Recipient: to, Status: smtp.Accepted, Stage: smtp.StageBody}}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	send := []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "--log", path, "--raw"}
	code, out, errs := run(t.Context(), login(s), append(send, file)...)
	if code != 0 || !strings.Contains(out, "not sent again") || len(s.Messages()) != 0 {
		t.Errorf("%d, %s%s, %d messages", code, out, errs, len(s.Messages()))
	}
	// The same message given twice is two messages, whatever their marks.
	if code, out, errs = run(t.Context(), login(s), append(send, file, file)...); code != 0 || len(s.Messages()) != 1 {
		t.Errorf("%d, %s%s, %d messages", code, out, errs, len(s.Messages()))
	}
	read := filepath.Join(dir, "read.eml")
	if err := os.WriteFile(read, []byte(strings.Replace(mail, "RO", "RO\r\nX-Status: A", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs = run(t.Context(), login(s), append(send, file, read)...); code != 0 || len(s.Messages()) != 1 {
		t.Errorf("%d, %s%s, %d messages", code, out, errs, len(s.Messages()))
	}
}
