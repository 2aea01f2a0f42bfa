package imapclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/smtpclient"
)

func TestStartTLS(t *testing.T) {
	t.Parallel()
	for name, greeting := range map[string]string{
		"offered":      "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN LITERAL+] hi",
		"not told yet": "* OK hi",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serveRaw(t, func(s *script) {
				s.say(greeting)
				s.say(s.want("STARTTLS") + " OK go ahead")
				s.upgrade(theIdentity(t))
				// Capabilities sent in the clear do not count.
				s.say("* CAPABILITY IMAP4rev1", s.want("CAPABILITY")+" OK")
				s.say(s.want(`LOGIN "me@example.org" "hunter22"`) + " OK [CAPABILITY IMAP4rev1] in")
				s.rest()
			})
			cfg.StartTLS = true
			if _, err := imapclient.Check(t.Context(), cfg); err != nil {
				t.Error(err)
			}
			server.end()
		})
	}
}

// Only STARTTLS is ever sent in the clear.
func TestNothingIsSaidInTheClear(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		play  func(s *script)
		stage imapclient.Stage
		is    error
		reply string
	}{
		"not offered": {func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi")
		}, imapclient.StageTLS, smtpclient.ErrSTARTTLSNotOffered, ""},
		"refused": {func(s *script) {
			s.say("* OK hi")
			s.say(s.want("STARTTLS") + " BAD unknown command")
		}, imapclient.StageTLS, smtpclient.ErrSTARTTLSNotOffered, "BAD unknown command"},
		"logged in already": {func(s *script) {
			s.say("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi")
		}, imapclient.StageTLS, smtpclient.ErrSTARTTLSNotOffered, ""},
		"response injected": {func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi")
			s.say(s.want("STARTTLS")+" OK go ahead", "* CAPABILITY IMAP4rev1 AUTH=PLAIN")
		}, imapclient.StageTLS, smtpclient.ErrInjectedResponse, ""},
		"hangs up": {func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi")
			s.line()
		}, imapclient.StageTLS, io.ErrUnexpectedEOF, ""},
		"no greeting": {func(s *script) {
			s.say("220 smtp.example.org ESMTP")
		}, imapclient.StageConnect, imapclient.ErrMalformed, ""},
		"sent away": {func(s *script) {
			s.say("* BYE Too many connections from you")
		}, imapclient.StageConnect, nil, "BYE Too many connections from you"},
		"a greeting without end": {func(s *script) {
			s.say("* OK " + strings.Repeat("x", 20_000))
		}, imapclient.StageConnect, imapclient.ErrMalformed, ""},
		"no TLS behind it": {func(s *script) {
			s.say("* OK hi")
			s.say(s.want("STARTTLS") + " OK go ahead")
			s.octets(5) // of the ClientHello
			s.say("* what?")
			s.conn.Close()
		}, imapclient.StageTLS, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serveRaw(t, func(s *script) {
				tc.play(s)
				if tc.is != io.ErrUnexpectedEOF {
					_, _ = io.Copy(&heard{s}, s.r)
				}
			})
			cfg.StartTLS = true
			_, err := imapclient.Check(t.Context(), cfg)
			at := failure(t, err)
			if at.Stage != tc.stage || at.Reply.String() != tc.reply || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%s: %q: %v", at.Stage, at.Reply, err)
			}
			s := server.end()
			for _, line := range s.heard {
				if !strings.HasSuffix(line, " STARTTLS") {
					t.Errorf("in the clear: %q", line)
				}
			}
			if s.body != "" && s.body[0] != 0x16 { // a TLS handshake
				t.Errorf("in the clear: %q", s.body)
			}
		})
	}
}

// heard records the input after a script.
type heard struct{ s *script }

func (h *heard) Write(p []byte) (int, error) {
	h.s.body += string(p)
	return len(p), nil
}

func TestTrust(t *testing.T) {
	t.Parallel()
	id := theIdentity(t)
	other := [32]byte{1}
	pinned := id.pin
	var unknown x509.UnknownAuthorityError
	for name, tc := range map[string]struct {
		trust smtpclient.Trust
		ok    func(err error) bool
	}{
		"roots":       {smtpclient.Trust{Roots: id.roots}, func(err error) bool { return err == nil }},
		"pin":         {smtpclient.Trust{Pin: &pinned}, func(err error) bool { return err == nil }},
		"another pin": {smtpclient.Trust{Pin: &other, Roots: id.roots}, func(err error) bool { return errors.Is(err, smtpclient.ErrPinMismatch) }},
		"the system":  {smtpclient.Trust{}, func(err error) bool { return errors.As(err, &unknown) }},
		"other name": {smtpclient.Trust{Roots: id.roots, ServerName: "imap.example.org"}, func(err error) bool {
			return errors.As(err, new(x509.HostnameError))
		}},
	} {
		for _, startTLS := range []bool{false, true} {
			play := func(s *script) {
				s.login("")
				s.rest()
			}
			var cfg imapclient.Config
			var server *played
			if startTLS {
				cfg, server = serveRaw(t, func(s *script) {
					s.say("* OK hi")
					s.say(s.want("STARTTLS") + " OK")
					s.upgrade(id)
					if s.conn.(*tls.Conn).Handshake() == nil {
						s.say("* CAPABILITY IMAP4rev1", s.want("CAPABILITY")+" OK")
						s.say(s.want(`LOGIN "me@example.org" "hunter22"`) + " OK [CAPABILITY IMAP4rev1] in")
						s.rest()
					}
				})
			} else {
				cfg, server = serve(t, play)
			}
			cfg.StartTLS, cfg.Trust = startTLS, tc.trust
			_, err := imapclient.Check(t.Context(), cfg)
			if !tc.ok(err) {
				t.Errorf("%s, STARTTLS %v: %v", name, startTLS, err)
			}
			if err != nil && failure(t, err).Stage != imapclient.StageTLS {
				t.Errorf("%s: %v", name, err)
			}
			server.end()
		}
	}
}

func TestACertificateOfOurs(t *testing.T) {
	t.Parallel()
	shown := 0
	cfg, server := serve(t, func(s *script) {
		shown = len(s.conn.(*tls.Conn).ConnectionState().PeerCertificates)
		s.login("")
		s.rest()
	})
	cfg.Trust.Certificates = []tls.Certificate{theIdentity(t).server}
	if _, err := imapclient.Check(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	if server.end(); shown != 1 {
		t.Errorf("%d certificates", shown)
	}
}

// The default ports are those of RFC 8314 and RFC 9051.
func TestPorts(t *testing.T) {
	t.Parallel()
	for startTLS, want := range map[bool]string{false: "imap.example.org:993", true: "imap.example.org:143"} {
		var got string
		cfg := imapclient.Config{Host: "imap.example.org", StartTLS: startTLS, Dialer: func(_ context.Context, network, address string) (net.Conn, error) {
			got = address
			return nil, io.ErrClosedPipe
		}}
		if _, err := imapclient.Check(t.Context(), cfg); !errors.Is(err, io.ErrClosedPipe) || failure(t, err).Stage != imapclient.StageConnect {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := imapclient.Check(t.Context(), imapclient.Config{}); failure(t, err).Stage != imapclient.StageConnect {
		t.Error(err)
	}
}
