package transport_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// tokens is a source that records its calls.
type tokens struct {
	mu    sync.Mutex
	gives []string // the last one repeats
	err   error    // instead of the second token
	asked []string
}

func (s *tokens) access(_ context.Context, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, refused)
	if len(s.asked) > 1 && s.err != nil {
		return "", s.err
	}
	return s.gives[min(len(s.asked), len(s.gives))-1], nil
}

func sendWith(t *testing.T, server *sandboxtest.Server, o transport.Options) smtp.Outcome {
	t.Helper()
	o.CAFile, o.From = server.CAFile(), server.Login()
	s, err := transport.Open(server.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	content, err := message.Compose(&message.Message{From: server.Login(), To: []string{"a@example.org"}, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	return s.Send(t.Context(), smtpclient.Transaction{Envelope: envelope, Content: content}).Outcomes[0]
}

func TestFreshToken(t *testing.T) {
	t.Parallel()
	good := func(_, token string) bool { return token == "good" }
	gone := errors.New("the consent has ended")
	tests := []struct {
		name  string
		gives []string
		err   error
		asked []string
		want  smtp.Status
	}{
		{"a good token", []string{"good"}, nil, []string{""}, smtp.Accepted},
		{"a stale one, then a good one", []string{"stale", "good"}, nil, []string{"", "stale"}, smtp.Accepted},
		{"no other one", []string{"stale"}, nil, []string{"", "stale"}, smtp.NotTried},
		{"two that are refused", []string{"stale", "bad", "good"}, nil, []string{"", "stale"}, smtp.NotTried},
		{"no consent any more", []string{"stale"}, gone, []string{"", "stale"}, smtp.NotTried},
		{"an empty one", []string{""}, nil, []string{""}, smtp.NotTried},
	}
	for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
		for _, test := range tests {
			t.Run(mechanism+" "+test.name, func(t *testing.T) {
				t.Parallel()
				server := sandboxtest.Start(t, "plain", sandboxtest.WithTokens(good))
				source := &tokens{gives: test.gives, err: test.err}
				o := sendWith(t, server, transport.Options{FreshToken: source.access, Mechanism: mechanism})
				if o.Status != test.want || !slices.Equal(source.asked, test.asked) {
					t.Errorf("got %s (%v), the source was asked %q, want %s and %q", o.Status, o, source.asked, test.want, test.asked)
				}
				if test.err != nil && !errors.Is(o.Err, test.err) {
					t.Errorf("the error of the source is lost: %v", o.Err)
				}
				if o.Status != smtp.Accepted && o.Stage != smtp.StageAuth {
					t.Errorf("the stage is %s", o.Stage)
				}
				for _, token := range test.gives {
					if token != "" && strings.Contains(fmt.Sprint(o), token) {
						t.Errorf("the outcome shows the token: %v", o)
					}
				}
			})
		}
	}
}

// After a temporary refusal the same token is used later, not a fresh one now.
func TestFreshTokenIsSparedByATemporaryRefusal(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain", sandboxtest.WithFault("auth-454-4.7.0"))
	source := &tokens{gives: []string{"good"}}
	o := sendWith(t, server, transport.Options{FreshToken: source.access})
	if o.Status != smtp.NotTried || len(source.asked) != 1 {
		t.Errorf("got %v, the source was asked %d times", o, len(source.asked))
	}
}

func TestFreshTokenIsNotAskedBeforeTheLogin(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	source := &tokens{gives: []string{"good"}}
	sendWith(t, server, transport.Options{FreshToken: source.access, StopAfter: smtp.StageHello})
	if len(source.asked) != 0 {
		t.Errorf("asked %d times", len(source.asked))
	}
}

func TestFreshTokenBesideAPassword(t *testing.T) {
	t.Parallel()
	source := &tokens{gives: []string{"good"}}
	_, err := transport.Open("smtps://127.0.0.1", transport.Options{User: "me", FreshToken: source.access, Password: "x"})
	if err == nil {
		t.Error("no error")
	}
}
