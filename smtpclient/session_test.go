package smtpclient_test

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// The second connection resumes the TLS session of the first, with the same trust as a full
// handshake.
func TestSessionIsResumed(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert := ca.issue("mail.example.org", time.Now().Add(time.Hour))
	pin, otherPin := sha256.Sum256(cert.Certificate[0]), sha256.Sum256([]byte("another"))
	for name, tc := range map[string]struct {
		first, second smtpclient.Trust
		version       uint16
		resumes       bool
		want          error // of the second
	}{
		"authority":          {first: smtpclient.Trust{Roots: ca.pool()}, second: smtpclient.Trust{Roots: ca.pool()}, resumes: true},
		"authority, TLS 1.2": {first: smtpclient.Trust{Roots: ca.pool()}, second: smtpclient.Trust{Roots: ca.pool()}, version: tls.VersionTLS12, resumes: true},
		"pin":                {first: smtpclient.Trust{Pin: &pin}, second: smtpclient.Trust{Pin: &pin}, resumes: true},
		"pin, TLS 1.2":       {first: smtpclient.Trust{Pin: &pin}, second: smtpclient.Trust{Pin: &pin}, version: tls.VersionTLS12, resumes: true},
		// The pin is checked on a resumed session, too.
		"another pin":          {first: smtpclient.Trust{Pin: &pin}, second: smtpclient.Trust{Pin: &otherPin}, want: smtpclient.ErrPinMismatch},
		"another pin, TLS 1.2": {first: smtpclient.Trust{Pin: &pin}, second: smtpclient.Trust{Pin: &otherPin}, version: tls.VersionTLS12, want: smtpclient.ErrPinMismatch},
		"a pin behind a CA":    {first: smtpclient.Trust{Roots: ca.pool()}, second: smtpclient.Trust{Pin: &otherPin}, want: smtpclient.ErrPinMismatch},
		// A session verified only by a pin is not valid for a configuration that requires an
		// authority.
		"a CA behind a pin": {first: smtpclient.Trust{Pin: &pin}, second: smtpclient.Trust{Roots: ca.pool()}},
		"another name": {first: smtpclient.Trust{Roots: ca.pool()}, second: smtpclient.Trust{Roots: ca.pool(), ServerName: "other.example.org"},
			want: errWrongName},
	} {
		for _, security := range []smtpclient.Security{smtpclient.ImplicitTLS, smtpclient.STARTTLS} {
			t.Run(name+"/"+security.String(), func(t *testing.T) {
				t.Parallel()
				server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tc.version},
					implicit: security == smtpclient.ImplicitTLS, before: []string{"STARTTLS"}, starttls: "220 go\r\n"}
				cfg := server.listen(t, smtpclient.Config{Security: security})
				sessions := tls.NewLRUClientSessionCache(4)
				for i, trust := range []smtpclient.Trust{tc.first, tc.second} {
					cfg.Trust = trust
					cfg.Trust.Sessions = sessions
					conn, err := smtpclient.Dial(t.Context(), cfg)
					if i == 1 && tc.want != nil {
						wrongName := tc.want == errWrongName && err != nil
						if !errors.Is(err, tc.want) && !wrongName {
							t.Errorf("error %v, want %v", err, tc.want)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if want := i == 1 && tc.resumes; conn.TLS().DidResume != want {
						t.Errorf("connection %d: resumed %v, want %v", i+1, conn.TLS().DidResume, want)
					}
					conn.Quit(t.Context())
				}
			})
		}
	}
}

// errWrongName stands for the error about a certificate's name.
var errWrongName = errors.New("another name")
