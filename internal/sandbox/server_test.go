package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	netsmtp "net/smtp"
	"strings"
	"testing"
	"time"
)

// start runs a server that is closed at the end of the test.
func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// deadline returns a context that limits every wait of a test.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (s *Server) pool(t testing.TB) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("the CA is not PEM")
	}
	return pool
}

// The standard library's client sends through every profile that accepts PLAIN.
func TestNetSMTPSendsThroughEveryProfile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "qq", "netease", "gmail"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{Profile: name})
			login, err := DefaultLogin(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := netsmtp.Dial(s.SubmissionAddr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			body := "From: <" + login + ">\r\nTo: <a@example.com>\r\nSubject: report\r\n\r\n.dot\r\nend\r\n"
			steps := []func() error{
				func() error { return c.StartTLS(&tls.Config{ServerName: s.Hosts()[0], RootCAs: s.pool(t)}) },
				// The library's own PLAIN compares host names that the test
				// can't choose.
				func() error { return c.Auth(plainAuth{login, Password}) },
				func() error { return c.Mail(login) },
				func() error { return c.Rcpt("a@example.com") },
				func() error {
					w, err := c.Data()
					if err != nil {
						return err
					}
					if _, err := w.Write([]byte(body)); err != nil {
						return err
					}
					return w.Close()
				},
			}
			for i, step := range steps {
				if err := step(); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			if err := c.Quit(); (err != nil) != (name == "qq") {
				t.Errorf("QUIT: %v; only QQ's frame is an error", err)
			}
			messages, err := s.WaitMessages(deadline(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			m := messages[0]
			if string(m.Data) != body || m.From != login || strings.Join(m.To, ",") != "a@example.com" || !m.TLS || m.Login != login {
				t.Errorf("got %+v", m)
			}
			if v := s.Violations(); len(v) != 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

type plainAuth struct{ user, secret string }

func (a plainAuth) Start(*netsmtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.secret), nil
}

func (a plainAuth) Next([]byte, bool) ([]byte, error) { return nil, nil }
