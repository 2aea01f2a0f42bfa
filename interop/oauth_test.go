//go:build interop && linux

package interop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/smtp"
)

// judgeSocket is the socket of the second Dovecot, in the servers' directory.
const judgeSocket = "dovecot-oauth/run/auth-client"

// startJudge starts a Dovecot that checks tokens with an authorization server.
func (s *servers) startJudge(t *testing.T, introspection string) {
	t.Helper()
	dir := filepath.Join(s.dir, "dovecot-oauth")
	if err := makeFolders("", dir, filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	data := struct {
		Dir, Introspection string
		Accounts           accounts
	}{dir, introspection, debianAccounts()}
	for name, file := range map[string]string{"dovecot-oauth.conf": "dovecot.conf", "introspection.conf": "introspection.conf"} {
		if err := render(name, filepath.Join(dir, file), data); err != nil {
			t.Fatal(err)
		}
	}
	p, err := startProcess("dovecot-oauth", s.root, filepath.Join(dir, "output"),
		"/usr/sbin/dovecot", "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("dovecot-oauth ended: %v", p.err)
		default:
		}
		if _, err := os.Stat(filepath.Join(s.dir, judgeSocket)); err != nil {
			return false, fmt.Errorf("%w: %w", errNotYet, err)
		}
		return true, nil
	}); err != nil {
		t.Fatalf("%v\n%s", err, s.logs())
	}
}

// sendWith sends one message on a new connection, with tokens only.
func (s *servers) sendWith(t *testing.T, mechanism string, tokens func(context.Context, string) (string, error)) smtp.Outcome {
	t.Helper()
	client, err := yan.Open(s.url("submission-oauth"), yan.Options{
		CAFile: s.certificate("ca.pem"), Mechanism: mechanism, FreshToken: tokens,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	result, _ := client.Send(t.Context(), yan.Message{From: login, To: []string{boxFor(t) + "@example.test"}, Subject: "x", Text: "x"})
	if len(result.Recipients) != 1 {
		t.Fatalf("result %+v", result)
	}
	return result.Recipients[0]
}

// A consent in the browser, tokens that Dovecot checks with the authorization
// server, and Postfix between: with each mechanism, from the first token to the
// end of the consent.
func TestTokensOfAnAuthorizationServer(t *testing.T) {
	t.Parallel()
	s := real(t)
	a := oauthtest.Start(t, oauthtest.Config{Rotate: true, User: login})
	s.startJudge(t, a.IntrospectionURL)
	client := oauth.Client{ID: a.ClientID(), AuthURL: a.AuthURL, TokenURL: a.TokenURL, Scopes: []string{"smtp"}}
	for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
		t.Run(mechanism, func(t *testing.T) {
			token, err := client.Browser(t.Context(), func(url string) error {
				resp, err := http.Get(url)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			})
			if err != nil {
				t.Fatal(err)
			}
			var refused []string
			before := a.Calls()
			source := &oauth.TokenSource{Client: client, Token: token}
			access := func(ctx context.Context, r string) (string, error) {
				if r != "" {
					refused = append(refused, r)
				}
				return source.Access(ctx, r)
			}
			step := func(name string, refreshes int) {
				t.Helper()
				if o := s.sendWith(t, mechanism, access); o.Status != smtp.Accepted || a.Calls().Refresh-before.Refresh != refreshes || len(refused) != refreshes {
					t.Fatalf("%s: %v, %d refused\n%s", name, o, len(refused), s.logs())
				}
			}
			step("the first token", 0)
			a.Revoke(token.Access)
			step("it was revoked", 1)
			step("the second", 1)
			if n := a.Calls().Introspect - before.Introspect; n < 4 {
				t.Errorf("Dovecot asked %d times", n)
			}
			a.EndConsent(login)
			if o := s.sendWith(t, mechanism, access); o.Status != smtp.NotTried || !errors.Is(o.Err, oauth.ErrConsent) {
				t.Errorf("the consent was revoked: %v", o)
			}
			// Another user's token is valid, but not for this login.
			other := a.Grant("other@example.test").Access
			o := s.sendWith(t, mechanism, func(context.Context, string) (string, error) { return other, nil })
			if o.Status != smtp.NotTried || o.Reply.Code != 535 || strings.Contains(o.String(), other) {
				t.Errorf("another's token: %v", o)
			}
		})
	}
	if problems := a.Problems(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}
