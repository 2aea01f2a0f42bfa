package diagnosis_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func TestAdviceByPlace(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, class := range diagnosis.Classes() {
		for host, local := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "192.0.2.1": false, "mail.example.org": false} {
			info, _ := diagnosis.Describe(class)
			was := diagnosis.Finding{Class: class, Advice: info.Advice}
			got := was.At(host, 1025).Advice
			want := ""
			switch {
			case local && (class == diagnosis.ClassStartTLSMissing || class == diagnosis.ClassWrongTLSMode):
				want = "smtp+notls://"
			case class == diagnosis.ClassTLSName && host != "localhost" && host != "mail.example.org":
				want = "--tls-name"
			}
			if want == "" && got != was.Advice || want != "" && (got == was.Advice || !strings.Contains(got.EN, want) || !strings.Contains(got.ZH, want)) {
				t.Errorf("%s at %s: %v", class, host, got)
			}
			if strings.Contains(got.EN, "notls") && !strings.Contains(got.ZH, "smtp+notls://"+map[string]string{"::1": "[::1]"}[host]) {
				t.Errorf("%s at %s: %v", class, host, got)
			}
			tried++
		}
	}
	if tried < 100 {
		t.Errorf("only %d", tried)
	}
}

// Advice for a specific failure does not depend on the place: a port that speaks TLS must not be
// used without it, and another name does not help a certificate without names.
func TestAdviceOfAFailureHasNoPlace(t *testing.T) {
	t.Parallel()
	for _, err := range []error{smtpclient.ErrTLSPort, &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "localhost"}}} {
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageTLS, Err: err})
		info, _ := diagnosis.Describe(f.Class)
		for _, host := range []string{"127.0.0.1", "localhost", "192.0.2.1", "mail.example.org"} {
			if got := f.At(host, 587); got.Advice != f.Advice || got.Advice == info.Advice {
				t.Errorf("%v at %s: %v", err, host, got.Advice)
			}
		}
	}
}
