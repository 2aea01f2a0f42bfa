package diagnosis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// A stored error is explained like the original: a queued message gets the same advice as one
// sent at once.
func TestKeptErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range namedErrors() {
		err := fmt.Errorf("somewhere: %w", tt.err)
		now := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageMail, Err: err, Status: smtp.NotTried})
		kept, ok := diagnosis.Kept(now.Class, smtp.StageMail, err.Error())
		if !ok || kept.Cause != now.Cause || kept.Advice != now.Advice || now.Row == "" && name != "ErrNoServerHello" && kept.Hint != now.Hint {
			t.Errorf("%s: %v, want %v", name, kept, now)
		}
	}
	if _, ok := diagnosis.Kept("NO_SUCH_CLASS", smtp.StageMail, "x"); ok {
		t.Error("an unknown class has a meaning")
	}
	if f, ok := diagnosis.Kept(diagnosis.ClassTimeout, smtp.StageConnect, "dial tcp: i/o timeout"); !ok || f.Class != diagnosis.ClassTimeout || f.Permanence != diagnosis.Temporary {
		t.Errorf("other words: %v", f)
	}
}

// A failure on this side does not send the user to the administrator of a server: an unreadable
// file, a name not found, local TLS, the configuration. Errors of the server's certificate, keys
// or policy may.
func TestOwnFailuresNameNoAdministrator(t *testing.T) {
	t.Parallel()
	ofServer := map[string]bool{"pin": true, "certificate_expired": true, "auth_not_offered": true, "client_certificate": true, "incomplete_chain": true, "no_names": true, "weak_crypto": true}
	check := func(name string, f diagnosis.Finding) {
		for _, text := range []diagnosis.Text{f.Cause, f.Advice, f.Hint, f.Where, f.ForPrograms().Advice} {
			if strings.Contains(text.EN, "administrator") || strings.Contains(text.ZH, "管理员") {
				t.Errorf("%s: %s %s", name, text.EN, text.ZH)
				return
			}
		}
	}
	checked := 0
	for _, kind := range diagnosis.ErrorKinds() {
		if ofServer[kind] {
			continue
		}
		for _, stage := range append(smtp.Stages(), "") {
			f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Status: smtp.NotTried, Err: namedKind(kind)})
			if f.Row == "" { // a row concerns one provider
				check(kind+" at "+string(stage), f)
				checked++
			}
			if kept, ok := diagnosis.Kept(f.Class, stage, "open letter.eml: permission denied"); ok && f.Class == diagnosis.ClassUnclassified {
				check("kept at "+string(stage), kept)
			}
		}
	}
	if checked < 400 {
		t.Errorf("only %d findings", checked)
	}
}
