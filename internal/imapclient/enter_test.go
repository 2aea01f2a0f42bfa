package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/sasl"
)

// tokens is a source that records the calls.
type tokens struct {
	gives []string
	err   error // returned after the last token
	asked []string
}

func (s *tokens) access(_ context.Context, refused string) (string, error) {
	s.asked = append(s.asked, refused)
	if len(s.gives) == 0 {
		return "", s.err
	}
	token := s.gives[0]
	s.gives = s.gives[1:]
	return token, nil
}

// bearer reads a login with a token and sends answer.
func (s *script) bearer(token, answer string) {
	s.t.Helper()
	s.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi")
	tag := s.want("AUTHENTICATE XOAUTH2 " + b64("user=me@example.org\x01auth=Bearer "+token+"\x01\x01"))
	s.say(tag + " " + answer)
}

func TestTokensAreFresh(t *testing.T) {
	t.Parallel()
	const welcome = "OK [CAPABILITY IMAP4rev1] in"
	errConsent := errors.New("consent has ended")
	refused := func(s *script) { s.bearer("hunter22-1", "NO [AUTHENTICATIONFAILED] hunter22-1 is stale") }
	for name, tc := range map[string]struct {
		source tokens
		plays  []func(s *script)
		asked  string
		is     error  // nil without a reply: the login succeeds
		reply  string // the refusal
	}{
		"taken": {tokens{gives: []string{"hunter22-1"}}, []func(s *script){func(s *script) {
			s.bearer("hunter22-1", welcome)
			s.rest()
		}}, `[""]`, nil, ""},
		"refused, another one taken": {tokens{gives: []string{"hunter22-1", "hunter22-2"}}, []func(s *script){refused, func(s *script) {
			s.bearer("hunter22-2", welcome)
			s.rest()
		}}, `["" "hunter22-1"]`, nil, ""},
		"both refused": {tokens{gives: []string{"hunter22-1", "hunter22-2", "hunter22-3"}}, []func(s *script){refused, func(s *script) {
			s.bearer("hunter22-2", "NO hunter22-2 as well")
		}}, `["" "hunter22-1"]`, nil, "NO **** as well"},
		"no other one": {tokens{gives: []string{"hunter22-1", "hunter22-1"}}, []func(s *script){refused},
			`["" "hunter22-1"]`, nil, "NO [AUTHENTICATIONFAILED] **** is stale"},
		"the source fails":          {tokens{err: errConsent}, nil, `[""]`, errConsent, ""},
		"the source fails later":    {tokens{gives: []string{"hunter22-1"}, err: errConsent}, []func(s *script){refused}, `["" "hunter22-1"]`, errConsent, ""},
		"the source has none":       {tokens{}, nil, `[""]`, nil, "none"},
		"a password is beside it":   {tokens{}, nil, `[]`, nil, "none"},
		"the server can't tell now": {tokens{gives: []string{"hunter22-1"}}, []func(s *script){func(s *script) { s.bearer("hunter22-1", "NO [UNAVAILABLE] later") }}, `[""]`, nil, "NO [UNAVAILABLE] later"},
		"it is no refusal":          {tokens{gives: []string{"hunter22-1"}}, []func(s *script){func(s *script) { s.bearer("hunter22-1", "BAD what") }}, `[""]`, nil, "BAD what"},
		"the folder is refused": {tokens{gives: []string{"hunter22-1"}}, []func(s *script){func(s *script) {
			s.bearer("hunter22-1", welcome)
			s.say(s.want(`LIST "" "*"`) + " NO not now")
		}}, `[""]`, nil, "NO not now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, server := serve(t, tc.plays...)
			cfg.Auth = sasl.Credentials{Username: "me@example.org"}
			cfg.Token = tc.source.access
			if strings.Contains(name, "beside") {
				cfg.Auth.Password = "hunter22"
			}
			_, err := imapclient.Check(t.Context(), cfg)
			if got := fmt.Sprintf("%q", tc.source.asked); got != tc.asked {
				t.Errorf("the source was asked %s, want %s", got, tc.asked)
			}
			server.end()
			if tc.is == nil && tc.reply == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			at := failure(t, err)
			if at.Stage != imapclient.StageLogin && !strings.Contains(name, "folder") || tc.is != nil && !errors.Is(err, tc.is) {
				t.Error(err)
			}
			if at.Reply.String() != tc.reply && tc.reply != "none" {
				t.Errorf("%q", at.Reply)
			}
		})
	}
}

// A connection that replaces another requests a token again: an hour later the
// first has expired.
func TestAReplacedConnectionHasAFreshToken(t *testing.T) {
	t.Parallel()
	play := func(token string) func(s *script) {
		return func(s *script) {
			s.bearer(token, "OK [CAPABILITY IMAP4rev1] in")
			s.list(`* LIST (\Sent) "/" Sent`)
			s.upload(`"Sent"`, "OK saved")
		}
	}
	cfg, server := serve(t, play("hunter22-1"), play("hunter22-2"))
	source := tokens{gives: []string{"hunter22-1", "hunter22-2"}}
	cfg.Auth = sasl.Credentials{Username: "me@example.org"}
	cfg.Token = source.access
	b := open(t, cfg)
	must(t, b, hello)
	<-server.over
	must(t, b, hello)
	b.Close()
	if server.end(); len(source.asked) != 2 || source.asked[1] != "" {
		t.Errorf("the source was asked %q", source.asked)
	}
}
