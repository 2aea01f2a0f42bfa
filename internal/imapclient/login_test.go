package imapclient_test

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// rest plays the commands after a login.
func (s *script) rest() {
	s.t.Helper()
	s.list(`* LIST (\Sent) "/" Sent`)
	s.bye()
}

func TestLoginByWhatIsOffered(t *testing.T) {
	t.Parallel()
	const user, password, token = "me@example.org", "hunter22", "ya29.token"
	plain := b64("\x00" + user + "\x00" + password)
	xoauth2 := b64("user=" + user + "\x01auth=Bearer " + token + "\x01\x01")
	for name, tc := range map[string]struct {
		creds sasl.Credentials
		play  func(s *script)
	}{
		"PLAIN at once": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN] hi")
			s.say(s.want("AUTHENTICATE PLAIN "+plain) + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"PLAIN when asked, told nothing before": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.say("* OK hi")
			s.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED", s.want("CAPABILITY")+" OK")
			tag := s.want("AUTHENTICATE PLAIN")
			s.say("+")
			if line := s.line(); line != plain {
				t.Errorf("the client said %q", line)
			}
			s.say("* CAPABILITY IMAP4rev1", tag+" OK in")
			s.rest()
		}},
		"capabilities asked for again": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 ID] hi")
			s.say(s.want(`LOGIN "me@example.org" "hunter22"`) + " OK in")
			s.say("* CAPABILITY IMAP4rev1", s.want("CAPABILITY")+" OK")
			s.rest() // without ID, which is no longer offered
		}},
		"no mechanism, LOGIN with what quotes can hold": {sasl.Credentials{Username: user, Password: `a "b\c`}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1] hi")
			s.say(s.want(`LOGIN "me@example.org" "a \"b\\c"`) + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"LOGIN with a literal": {sasl.Credentials{Username: user, Password: "密码"}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN] hi")
			tag := s.want(`LOGIN "me@example.org" {6}`)
			s.say("+ go ahead")
			if got := s.octets(6) + s.line(); got != "密码" {
				t.Errorf("%q", got)
			}
			s.say(tag + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"the mechanism LOGIN": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN LOGINDISABLED] hi")
			tag := s.want("AUTHENTICATE LOGIN")
			s.say("+ username:") // in plain text
			if line := s.line(); line != b64(user) {
				t.Errorf("%q", line)
			}
			s.say("+ " + b64("Password:"))
			if line := s.line(); line != b64(password) {
				t.Errorf("%q", line)
			}
			s.say(tag + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"XOAUTH2": {sasl.Credentials{Username: user, Token: token}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] hi")
			s.say(s.want("AUTHENTICATE XOAUTH2 "+xoauth2) + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"a token that is too long for the line": {sasl.Credentials{Username: user, Token: strings.Repeat("t", 6100)}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi")
			tag := s.want("AUTHENTICATE XOAUTH2")
			s.say("+ ")
			if line := s.line(); len(line) < 8000 {
				t.Errorf("%q", line)
			}
			s.say(tag + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"OAUTHBEARER": {sasl.Credentials{Username: user, Token: token}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=OAUTHBEARER] hi")
			line := s.line()
			tag, rest, _ := strings.Cut(line, " ")
			coded, ok := strings.CutPrefix(rest, "AUTHENTICATE OAUTHBEARER ")
			said, _ := base64.StdEncoding.DecodeString(coded)
			if !ok || !strings.Contains(string(said), "a=me@example.org,") || !strings.Contains(string(said), "host=127.0.0.1") {
				t.Errorf("%q %q", line, said)
			}
			s.say(tag + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"a certificate": {sasl.Credentials{}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=EXTERNAL] hi")
			s.say(s.want("AUTHENTICATE EXTERNAL =") + " OK [CAPABILITY IMAP4rev1] in")
			s.rest()
		}},
		"known already": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.say("* PREAUTH [CAPABILITY IMAP4rev1] hi")
			s.rest()
		}},
		"NetEase wants to know who it is": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			const caps = "* CAPABILITY IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS APPENDLIMIT=71680000 UIDPLUS X-CM-EXT-1 SASL-IR AUTH=XOAUTH2"
			s.say("* OK Coremail System IMap Server Ready(163com)")
			s.say(caps, s.want("CAPABILITY")+" OK CAPABILITY completed")
			s.say(s.want(`LOGIN "me@example.org" "hunter22"`) + " OK LOGIN completed")
			s.say(caps, s.want("CAPABILITY")+" OK CAPABILITY completed")
			tag, rest, _ := strings.Cut(s.line(), " ")
			if !strings.HasPrefix(rest, `ID ("name" "yan" `) {
				s.say(tag + " NO SELECT Unsafe Login. Please contact kefu@188.com for help")
				return
			}
			s.say(`* ID ("name" "Coremail Imap" "vendor" "Mailtech" "TransID" "x")`, tag+" OK ID completed")
			s.list(`* LIST () "/" "INBOX"`, `* LIST (\Drafts) "/" "&g0l6P3ux-"`, `* LIST (\Sent) "/" "&XfJT0ZAB-"`)
			s.bye()
		}},
		"ID refused": {sasl.Credentials{Username: user, Password: password}, func(s *script) {
			s.login("ID")
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say(tag + " BAD what")
			s.rest()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, tc.play)
			cfg.Auth = tc.creds
			if _, err := imapclient.Check(t.Context(), cfg); err != nil {
				t.Error(err)
			}
			if heard := server.end().heard; len(heard) < 2 {
				t.Errorf("the server heard %q", heard)
			}
		})
	}
}

// scramServer plays SCRAM-SHA-256. Its proof may be forged, or missing.
func scramServer(t *testing.T, s *script, proof string) {
	known, err := scram.SHA256.NewClient("me@example.org", "hunter22", "")
	if err != nil {
		t.Error(err)
		return
	}
	stored, err := known.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of the test", Iters: 4096})
	if err != nil {
		t.Error(err)
		return
	}
	lookup, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Error(err)
		return
	}
	conv := lookup.NewConversation()
	s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256] hi")
	tag, rest, _ := strings.Cut(s.line(), " ")
	message, _ := strings.CutPrefix(rest, "AUTHENTICATE SCRAM-SHA-256 ")
	for !conv.Done() {
		said, _ := base64.StdEncoding.DecodeString(message)
		challenge, err := conv.Step(string(said))
		if err != nil {
			t.Error(err)
			return
		}
		if proof == "missing" && strings.HasPrefix(challenge, "v=") {
			break
		}
		if proof == "forged" && strings.HasPrefix(challenge, "v=") {
			challenge = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		}
		s.say("+ " + b64(challenge))
		message = s.line()
	}
	if proof == "forged" {
		if message != "*" {
			t.Errorf("the client goes on with %q", message)
		}
		s.say(tag + " BAD cancelled")
		return
	}
	s.say(tag + " OK [CAPABILITY IMAP4rev1] in")
	if proof == "" {
		s.rest()
	}
}

func TestScramProvesBothSides(t *testing.T) {
	t.Parallel()
	for _, proof := range []string{"", "forged", "missing"} {
		cfg, server := serve(t, func(s *script) { scramServer(t, s, proof) })
		_, err := imapclient.Check(t.Context(), cfg)
		server.end()
		if (err == nil) != (proof == "") || errors.Is(err, smtpclient.ErrServerNotVerified) != (proof == "missing") {
			t.Errorf("proof %q: %v", proof, err)
		}
	}
}

func TestLoginThatFails(t *testing.T) {
	t.Parallel()
	const greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi"
	token := sasl.Credentials{Username: "me@example.org", Token: "hunter22"}
	for name, tc := range map[string]struct {
		creds sasl.Credentials
		play  func(s *script)
		reply string
		is    error
	}{
		"refused": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say("* NO [WEBALERT https://example.org/in] Web login required.", tag+" NO [ALERT] Please log in with your browser")
		}, "NO [ALERT] Please log in with your browser (Web login required. https://example.org/in)", nil},
		"hung up with a reason": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			s.line()
			s.say("* BYE Too many logins")
		}, "BYE Too many logins", nil},
		"hung up": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			s.line()
		}, "", io.ErrUnexpectedEOF},
		"refusal in GBK that repeats everything": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			tag, rest, _ := strings.Cut(s.line(), " ")
			s.say(tag + " NO [authenticationfailed] \xc3\xdc\xc2\xeb\xb4\xed\xce\xf3 hunter22 " + rest + " \x1b[31m")
		}, "NO [AUTHENTICATIONFAILED] 密码错误 **** AUTHENTICATE PLAIN **** \uFFFD[31m", nil},
		"refusal that repeats a quoted password": {sasl.Credentials{Username: "me", Password: `hunter22"x`}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1] hi")
			tag, rest, _ := strings.Cut(s.line(), " ")
			s.say(tag + " BAD " + rest)
		}, `BAD LOGIN "me" "****"`, nil},
		"refusal without end": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say(tag + " NO " + strings.Repeat("x", 5000))
		}, "NO " + strings.Repeat("x", 1000) + "…", nil},
		"token refused": {token, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi")
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say("+ " + b64(`{"status":"400","schemes":"Bearer"}`))
			if line := s.line(); line != "" {
				s.t.Errorf("the client answers %q", line)
			}
			s.say(tag + " NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
		}, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", nil},
		"asks without end": {token, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi")
			tag, _, _ := strings.Cut(s.line(), " ")
			for range 8 {
				s.say("+ ")
				s.line()
			}
			if last := s.heard[len(s.heard)-1]; last != "*" {
				s.t.Errorf("the client goes on with %q", last)
			}
			s.say(tag + " BAD stopped")
		}, "", nil},
		"challenge that is none": {sasl.Credentials{}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 LOGINDISABLED] hi")
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say("+ ???")
			if line := s.line(); line != "*" {
				s.t.Errorf("the client answers %q", line)
			}
			s.say(tag + " BAD cancelled")
		}, "", nil},
		"LOGINDISABLED": {sasl.Credentials{}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2] hi")
		}, "", imapclient.ErrLoginDisabled},
		"no mechanism for tokens": {token, func(s *script) { s.say(greeting) }, "", smtpclient.ErrNoMechanism},
		"no capabilities": {sasl.Credentials{}, func(s *script) {
			s.say("* OK hi")
			s.say(s.want("CAPABILITY") + " BAD no")
		}, "BAD no", nil},
		"capabilities that are none": {sasl.Credentials{}, func(s *script) {
			s.say("* OK hi")
			s.say(s.want("CAPABILITY") + " OK")
		}, "", imapclient.ErrMalformed},
		"a NUL": {sasl.Credentials{Username: "me\x00", Password: "hunter22"}, func(s *script) {
			s.say("* OK [CAPABILITY IMAP4rev1] hi")
		}, "", nil},
		"an answer to something else": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			s.line()
			s.say("z9 OK in")
		}, "", imapclient.ErrMalformed},
		"an answer that is none": {sasl.Credentials{}, func(s *script) {
			s.say(greeting)
			tag, _, _ := strings.Cut(s.line(), " ")
			s.say(tag + " WHY NOT")
		}, "", imapclient.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, tc.play)
			if tc.creds != (sasl.Credentials{}) {
				cfg.Auth = tc.creds
			}
			_, err := imapclient.Check(t.Context(), cfg)
			at := failure(t, err)
			if at.Stage != imapclient.StageLogin || at.Reply.String() != tc.reply || tc.is != nil && !errors.Is(err, tc.is) ||
				tc.reply == "" && at.Err == nil {
				t.Errorf("%s: %q: %v", at.Stage, at.Reply, err)
			}
			heard := strings.Join(server.end().heard, "\n")
			if logins := strings.Count(heard, "AUTHENTICATE") + strings.Count(heard, "LOGIN"); logins > 1 || name == "a NUL" && heard != "" {
				t.Errorf("%d logins were tried: %q", logins, heard)
			}
		})
	}
}
