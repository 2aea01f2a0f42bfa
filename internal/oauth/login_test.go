package oauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// sendOnce sends a message over its own connection.
func sendOnce(t *testing.T, server *sandboxtest.Server, source *oauth.TokenSource, mechanism string) smtp.Outcome {
	t.Helper()
	out, err := transport.Open(server.URL(), transport.Options{
		CAFile: server.CAFile(), From: server.Login(), Mechanism: mechanism, FreshToken: source.Access,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	content, err := message.Compose(&message.Message{From: server.Login(), To: []string{"friend@example.org"}, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	return out.Send(t.Context(), smtpclient.Transaction{Envelope: envelope, Content: content}).Outcomes[0]
}

// From the consent to the last message: the tokens of the authorization server
// log in at a mail server, which asks it whether they are valid.
func TestTokensLogIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ profile, mechanism string }{
		{"gmail", "XOAUTH2"}, {"gmail", "OAUTHBEARER"}, {"plain", ""}, {"microsoft365", "XOAUTH2"},
	} {
		t.Run(test.profile+" "+test.mechanism, func(t *testing.T) {
			t.Parallel()
			clock, k := newClock(), &kept{}
			s := oauthtest.Start(t, oauthtest.Config{Rotate: true, TLS: true, Now: clock.now})
			server := sandboxtest.Start(t, test.profile, sandboxtest.WithTokens(func(login, token string) bool {
				user, ok := s.Valid(token)
				return ok && user == login
			}))
			c := clientOf(s)
			c.Now, c.Roots, c.LoginHint = clock.now, s.Roots(), server.Login()
			var b browser
			first, err := c.Browser(t.Context(), func(u string) error { return b.get(clientOfBrowser(s), u) })
			if err != nil {
				t.Fatal(err)
			}
			source := &oauth.TokenSource{Client: c, Token: first, Save: k.save}
			step := func(name string, refreshes int) {
				t.Helper()
				if o := sendOnce(t, server, source, test.mechanism); o.Status != smtp.Accepted || s.Calls().Refresh != refreshes {
					t.Fatalf("%s: %v after %d refreshes, want %d", name, o, s.Calls().Refresh, refreshes)
				}
			}
			fails := func(name string, want error) {
				t.Helper()
				o := sendOnce(t, server, source, test.mechanism)
				if o.Status != smtp.NotTried || o.Stage != smtp.StageAuth || !errors.Is(o.Err, want) {
					t.Errorf("%s: %v", name, o)
				}
				hasNone(t, o.String(), k.last().Access, k.last().Refresh)
			}
			step("the first token", 0)
			s.Revoke(first.Access)
			step("it was revoked", 1)
			step("the second", 1)
			clock.advance(2 * time.Hour)
			step("it has expired", 2)
			// A restarted program uses the saved token.
			source = &oauth.TokenSource{Client: c, Token: k.last(), Save: k.save}
			step("it was kept", 2)
			s.EndConsent(server.Login())
			fails("the consent was taken back", oauth.ErrConsent)
			again := s.Grant(server.Login())
			source.Load = func(context.Context) (oauth.Token, error) {
				return oauth.Token{Access: again.Access, Refresh: again.Refresh, Expiry: again.Expiry}, nil
			}
			step("another process logged in", s.Calls().Refresh)
			clock.advance(2 * time.Hour)
			source.Client.TokenURL = nobody
			fails("no network", oauth.ErrUnreachable)
			if n := len(server.Messages()); n != 6 {
				t.Errorf("%d messages arrived", n)
			}
			noProblems(t, s)
		})
	}
}

func clientOfBrowser(s *oauthtest.Server) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots()}}}
}
