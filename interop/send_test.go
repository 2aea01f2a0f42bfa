//go:build interop && linux

package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each TLS mode with each mechanism that the server offers in it, from the
// command line to the Maildir.
func TestEveryModeAndMechanism(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, service := range []string{"submission", "smtps", "notls"} {
		mechanisms := offeredMechanisms(t, s, service)
		if len(mechanisms) < 7 {
			t.Errorf("%s offers only %q", service, mechanisms)
		}
		for _, mechanism := range mechanisms {
			t.Run(service+" "+mechanism, func(t *testing.T) {
				t.Parallel()
				as := authentication{mechanism: mechanism}
				if usesToken(mechanism) {
					as.token = bearerToken(tokenKey)
				}
				l := newLetter(t, strings.ToLower(service+"-"+mechanism))
				told, _ := s.mustSend(t, service, as, append(l.flags(t), "--transcript")...)
				s.checkDelivered(t, service, l, told)
				if used := s.mechanismUsed(t, told.ServerID); used != mechanism {
					t.Errorf("the server saw %s, not %s", used, mechanism)
				}
			})
		}
	}
}

// Servers without the extensions that make sending fast, one that requires a
// client certificate, and Dovecot itself, with and without them.
func TestEveryDialect(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, service := range []string{"submission-nochunking", "submission-nopipelining", "smtps-clientcert", "lmtp"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			l := newLetter(t, "dialect-"+service)
			told, _ := s.mustSend(t, service, authentication{none: service == "lmtp"}, l.flags(t)...)
			s.checkDelivered(t, service, l, told)
		})
	}
}

// checkDelivered reads the letter back from each of its mailboxes.
func (s *servers) checkDelivered(t *testing.T, service string, l letter, told report) {
	t.Helper()
	if len(told.Recipients) != len(l.recipients()) {
		t.Fatalf("the report has %d recipients, want %d", len(told.Recipients), len(l.recipients()))
	}
	for _, box := range l.boxes() {
		files := s.delivered(t, box, 1)
		got := readBack(t, files[0])
		l.check(t, got, told.MessageID)
		checkProtocol(t, service, got)
	}
}

// checkProtocol checks the first server's Received field (RFC 3848): encrypted
// or not, and without SMTPUTF8 (RFC 6531), which was offered but not needed.
func checkProtocol(t *testing.T, service string, got stored) {
	t.Helper()
	want := "ESMTPSA"
	switch service {
	case "notls":
		want = "ESMTPA"
	case "lmtp":
		want = "LMTP"
	}
	trace := got.header("Received")
	if len(trace) == 0 || !strings.Contains(strings.Join(strings.Fields(trace[len(trace)-1]), " "), " with "+want+" ") {
		t.Errorf("the message was not sent with %s: %q", want, trace)
	}
}

// mechanismUsed returns the SASL mechanism that Postfix logged for a message.
func (s *servers) mechanismUsed(t *testing.T, queueID string) string {
	t.Helper()
	if queueID == "" {
		t.Fatal("the server's id of the message is not in the report")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var mechanism string
	err := poll(ctx, func() (bool, error) {
		log, err := os.ReadFile(filepath.Join(s.dir, "postfix", "postfix.log"))
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(log)) {
			if _, after, ok := strings.Cut(line, "sasl_method="); ok && strings.Contains(line, " "+queueID+": client=") {
				mechanism, _, _ = strings.Cut(after, ",")
				return true, nil
			}
		}
		return false, fmt.Errorf("message %s in Postfix's log: %w", queueID, errNotYet)
	})
	if err != nil {
		t.Fatal(err)
	}
	return mechanism
}

func TestThirtyMegabytes(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, service := range []string{"submission", "smtps", "submission-nochunking"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			l := newLetter(t, "large-"+service)
			large := filepath.Join(t.TempDir(), "三十兆字节的附件.bin")
			writeRandom(t, large, 30<<20)
			l.files = append(l.files, file{path: large})
			told, _ := s.mustSend(t, service, authentication{}, l.flags(t)...)
			s.checkDelivered(t, service, l, told)
		})
	}
}

func TestHundredRecipients(t *testing.T) {
	t.Parallel()
	s := real(t)
	const many = 100
	l := newLetter(t, "hundred-0")
	var more []string
	for i := 1; i <= many; i++ {
		more = append(more, fmt.Sprintf("hundred-%d@example.test", i))
	}
	told, _ := s.mustSend(t, "submission", authentication{}, append(l.flags(t), "--bcc", strings.Join(more, ", "))...)
	if want := many + len(l.recipients()); len(told.Recipients) != want {
		t.Fatalf("the report has %d recipients, want %d", len(told.Recipients), want)
	}
	for i := range many {
		files := s.delivered(t, fmt.Sprintf("hundred-%d", i+1), 1)
		l.check(t, readBack(t, files[0]), told.MessageID)
	}
}

// A non-ASCII address needs SMTPUTF8, which Postfix offers.
func TestUTF8Address(t *testing.T) {
	t.Parallel()
	s := real(t)
	l := newLetter(t, "unused")
	told, _ := s.mustSend(t, "smtps", authentication{},
		"-f", mailbox(l.from), "-t", "李雷 <李雷@utf8.example.test>", "-s", l.subject, "-b", "你好")
	if len(told.Recipients) != 1 || told.Recipients[0].Address != "李雷@utf8.example.test" {
		t.Errorf("the report has the recipients %+v", told.Recipients)
	}
	files := s.delivered(t, "utf8", 1)
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), " with UTF8SMTPSA ") || !strings.Contains(string(raw), "\nTo: ") ||
		!strings.Contains(string(raw), "<李雷@utf8.example.test>") {
		t.Errorf("it arrived as\n%s", raw)
	}
}
