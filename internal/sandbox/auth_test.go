package sandbox

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xdg-go/scram"
)

// challenge returns the decoded text of a 334.
func (c *client) challenge(a answer) string {
	c.t.Helper()
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(a.raw, "334")))
	if a.code != "334" || err != nil {
		c.t.Fatalf("no challenge: %s %q", a.kind, a.raw)
	}
	return string(text)
}

// Every mechanism, with the right secret and with a wrong one.
func TestEveryMechanism(t *testing.T) {
	t.Parallel()
	const user = "me@example.org"
	runs := map[string]func(c *client, secret string) answer{
		"PLAIN": func(c *client, secret string) answer { return c.ask("AUTH PLAIN " + plainResponse(user, secret)) },
		"LOGIN": func(c *client, secret string) answer {
			if got := c.challenge(c.ask("AUTH LOGIN")); got != "Username:" {
				c.t.Errorf("prompt %q", got)
			}
			if got := c.challenge(c.ask(b64(user))); got != "Password:" {
				c.t.Errorf("prompt %q", got)
			}
			return c.ask(b64(secret))
		},
		"CRAM-MD5": func(c *client, secret string) answer {
			mac := hmac.New(md5.New, []byte(secret))
			mac.Write([]byte(c.challenge(c.ask("AUTH CRAM-MD5"))))
			return c.ask(b64(user + " " + hex.EncodeToString(mac.Sum(nil))))
		},
		"XOAUTH2": func(c *client, secret string) answer {
			a := c.ask("AUTH XOAUTH2 " + b64("user="+user+"\x01auth=Bearer "+secret+"\x01\x01"))
			return c.afterTokenError(a, plainProfile().words.tokenError, "")
		},
		"OAUTHBEARER": func(c *client, secret string) answer {
			a := c.ask("AUTH OAUTHBEARER " + b64("n,a="+user+",\x01host=localhost\x01auth=Bearer "+secret+"\x01\x01"))
			return c.afterTokenError(a, invalidToken, b64("\x01"))
		},
		"EXTERNAL": func(c *client, secret string) answer {
			if secret != Password {
				return c.ask("AUTH EXTERNAL " + b64("you@example.org"))
			}
			return c.ask("AUTH EXTERNAL =")
		},
		"SCRAM-SHA-1":        scramRun("SCRAM-SHA-1", user, ""),
		"SCRAM-SHA-256":      scramRun("SCRAM-SHA-256", user, ""),
		"SCRAM-SHA-1-PLUS":   scramRun("SCRAM-SHA-1-PLUS", user, scram.ChannelBindingTLSExporter),
		"SCRAM-SHA-256-PLUS": scramRun("SCRAM-SHA-256-PLUS", user, scram.ChannelBindingTLSServerEndpoint),
	}
	for _, mechanism := range supportedMechanisms() {
		run, ok := runs[mechanism]
		if !ok {
			t.Errorf("%s is not tried", mechanism)
			continue
		}
		for secret, code := range map[string]string{Password: "235", "wrong": "535"} {
			t.Run(mechanism+" "+code, func(t *testing.T) {
				t.Parallel()
				s := start(t, Config{})
				c := withCertificate(t, s, user)
				if a := run(c, secret); a.code != code {
					t.Errorf("got %s %q, want %s", a.kind, a.raw, code)
				}
				login := s.Connections()[0].Login
				if (login == user) != (code == "235") {
					t.Errorf("logged in as %q", login)
				}
				checkViolations(t, s, "")
			})
		}
	}
}

// withCertificate returns a client on the TLS port that shows a certificate.
func withCertificate(t *testing.T, s *Server, user string) *client {
	t.Helper()
	cert, key, err := s.ClientCertificate(user)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, s, s.TLSAddr())
	cfg := c.tlsConfig()
	cfg.Certificates = []tls.Certificate{pair}
	if err := c.secure(cfg, patient); err != nil {
		t.Fatal(err)
	}
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	return c
}

// afterTokenError checks the error in a 334 and sends the client's empty
// answer.
func (c *client) afterTokenError(a answer, want, reply string) answer {
	c.t.Helper()
	if a.code != "334" {
		return a
	}
	if got := c.challenge(a); got != want {
		c.t.Errorf("error %q, want %q", got, want)
	}
	return c.ask(reply)
}

func scramRun(mechanism, user string, kind scram.ChannelBindingType) func(*client, string) answer {
	return func(c *client, secret string) answer {
		c.t.Helper()
		hash := scram.SHA256
		if strings.HasPrefix(mechanism, "SCRAM-SHA-1") {
			hash = scram.SHA1
		}
		client, err := hash.NewClient(user, secret, "")
		if err != nil {
			c.t.Fatal(err)
		}
		conversation := client.NewConversation()
		if kind != "" {
			state := c.conn.(*tls.Conn).ConnectionState()
			binding, err := scram.NewTLSServerEndpointBinding(&state)
			if kind == scram.ChannelBindingTLSExporter {
				binding, err = scram.NewTLSExporterBinding(&state)
			}
			if err != nil {
				c.t.Fatal(err)
			}
			conversation = client.NewConversationWithChannelBinding(binding)
		}
		text, err := conversation.Step("")
		if err != nil {
			c.t.Fatal(err)
		}
		a := c.ask("AUTH " + mechanism + " " + b64(text))
		for a.code == "334" {
			if text, err = conversation.Step(c.challenge(a)); err != nil {
				c.t.Fatal(err)
			}
			a = c.ask(b64(text))
		}
		if a.code == "235" && !conversation.Valid() {
			c.t.Error("the server did not prove that it knows the secret")
		}
		return a
	}
}

// The reply to an exchange that goes wrong, and whether it counts as the
// client's violation.
func TestAuthRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		profile string
		cfg     Config
		lines   []string
		code    string
		violate string
	}{
		{"canceled", "plain", Config{}, []string{"AUTH LOGIN", "*"}, "501 5.7.0", ""},
		{"not base64", "plain", Config{}, []string{"AUTH PLAIN ???"}, "501 5.5.2", "can't be decoded"},
		{"malformed", "plain", Config{}, []string{"AUTH PLAIN " + b64("me")}, "501 5.5.2", "PLAIN wants two NULs"},
		{"empty initial response", "plain", Config{}, []string{"AUTH PLAIN ="}, "501 5.5.2", "PLAIN wants two NULs"},
		{"another's identity", "plain", Config{}, []string{"AUTH PLAIN " + b64("you\x00me@example.org\x00"+Password)}, "535", ""},
		{"unknown user", "plain", Config{}, []string{"AUTH PLAIN " + plainResponse("you@example.org", Password)}, "535", ""},
		{"mechanism not offered", "microsoft365", Config{}, []string{"AUTH PLAIN " + plainResponse("me", "x")}, "504 5.7.4", "AUTH PLAIN was not offered"},
		{"mechanism nobody can do", "gmail", Config{}, []string{"AUTH XOAUTH x"}, "504 5.7.4", ""},
		{"only CRAM-MD5", "plain", Config{Mechanisms: []string{"CRAM-MD5"}}, []string{"AUTH LOGIN"}, "504", "AUTH LOGIN was not offered"},
		{"AUTH withheld", "plain", Config{Without: []string{"AUTH"}}, []string{"AUTH LOGIN"}, "504", "AUTH LOGIN was not offered"},
		{"no certificate", "plain", Config{}, []string{"AUTH EXTERNAL ="}, "504", "AUTH EXTERNAL was not offered"},
		{"binding without -PLUS", "plain", Config{}, []string{"AUTH SCRAM-SHA-256 " + b64("p=tls-exporter,,n=me,r=abc")}, "501", "belong together"},
		{"downgrade", "plain", Config{}, []string{"AUTH SCRAM-SHA-256 " + b64("y,,n=me,r=abc")}, "501", "no -PLUS was offered, but it was"},
		{"AUTH after HELO", "microsoft365", Config{}, []string{"HELO client.example", "AUTH LOGIN"}, "504 5.7.4", ""},
		{"MAIL before AUTH, qq", "qq", Config{}, []string{"MAIL FROM:<me@qq.com>"}, "503 Error: need EHLO and AUTH", ""},
		{"MAIL before AUTH, plain", "plain", Config{RequireAuth: true}, []string{"MAIL FROM:<me@example.org>"}, "530 5.7.0", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.cfg.Profile = test.profile
			s := start(t, test.cfg)
			c := login(t, s, "")
			var a answer
			for _, line := range test.lines {
				a = c.ask(line)
			}
			if !strings.HasPrefix(a.raw, test.code) {
				t.Errorf("got %s %q, want %s", a.kind, a.raw, test.code)
			}
			checkViolations(t, s, test.violate)
		})
	}
}

// Config.Tokens decides at each login, for known and unknown logins alike. Each
// provider refuses in its own way.
func TestTokens(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile, mechanism string
		challenge, refusal string
	}{
		{"gmail", "XOAUTH2", `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, "535-5.7.8 Username and Password"},
		{"gmail", "OAUTHBEARER", `{"status":"invalid_token","scope":"https://mail.google.com/"}`, "535-5.7.8 Username and Password"},
		{"microsoft365", "XOAUTH2", "", "535 5.7.3 Authentication unsuccessful ["},
		{"qq", "XOAUTH2", "", "535 Login fail."},
		{"plain", "XOAUTH2", `{"status":"401","schemes":"bearer","scope":"mail"}`, "535 5.7.8 "},
		{"plain", "OAUTHBEARER", `{"status":"invalid_token","scope":"https://mail.google.com/"}`, "535 5.7.8 "},
	} {
		t.Run(test.profile+" "+test.mechanism, func(t *testing.T) {
			t.Parallel()
			var good atomic.Value
			good.Store("first")
			s := start(t, Config{Profile: test.profile, Tokens: func(login, token string) bool {
				return login == "you@example.org" && token == good.Load()
			}})
			initial := func(token string) string {
				if test.mechanism == "XOAUTH2" {
					return "AUTH XOAUTH2 " + b64("user=you@example.org\x01auth=Bearer "+token+"\x01\x01")
				}
				return "AUTH OAUTHBEARER " + b64("n,a=you@example.org,\x01auth=Bearer "+token+"\x01\x01")
			}
			login(t, s, "").want("235", initial("first"))
			good.Store("second")
			c := login(t, s, "")
			a := c.ask(initial("first"))
			if test.challenge != "" {
				a = c.afterTokenError(a, test.challenge, "")
			}
			if !strings.HasPrefix(a.raw, test.refusal) {
				t.Errorf("got %s %q, want %s", a.kind, a.raw, test.refusal)
			}
			login(t, s, "").want("235", initial("second"))
			checkViolations(t, s, "")
		})
	}
}

// Neither a secret nor its base64 form is in the log.
func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	for _, show := range []bool{false, true} {
		var log strings.Builder
		s := start(t, Config{ShowSecrets: show, Log: func(e LogEvent) { log.WriteString(string(e.Side) + ": " + e.Text + "\n") }})
		c := login(t, s, "")
		c.want("535", "AUTH PLAIN "+plainResponse("me@example.org", Password+"x"))
		digest := c.challenge(c.ask("AUTH CRAM-MD5"))
		c.want("535", b64("me@example.org digest"))
		c.want("334", "AUTH LOGIN")
		c.want("334", b64("me@example.org"))
		c.want("235", b64(Password))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got := log.String()
		for _, secret := range []string{Password, b64(Password), plainResponse("me@example.org", Password+"x"), b64(digest)} {
			if strings.Contains(got, secret) && !show {
				t.Errorf("the log contains %q:\n%s", secret, got)
			}
		}
		if strings.Contains(got, b64(Password)) != show || !strings.Contains(got, "C: EHLO client.example\n") ||
			!show && !strings.Contains(got, "C: AUTH PLAIN <hidden>\nS: 535") {
			t.Errorf("show=%v, log:\n%s", show, got)
		}
	}
}
