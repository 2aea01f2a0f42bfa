package imaptest_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/imaptest"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

type letter struct{ *strings.Reader }

func (l letter) WriteTo(w io.Writer) (int64, error) { return l.Reader.WriteTo(w) }

func TestTheServerTellsWhatItWasAsked(t *testing.T) {
	t.Parallel()
	s := imaptest.Start(t)
	cfg := imapclient.Config{Host: s.Host, Port: s.Port, Trust: smtpclient.Trust{Roots: s.Roots},
		Auth: sasl.Credentials{Username: s.User, Password: s.Password}}
	look := func(want bool) {
		t.Helper()
		if found, err := imapclient.Search(t.Context(), cfg, "<1@example.org>"); found != want || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	}
	look(false)
	const first, second = "Message-ID: <1@example.org>\r\n\r\nhi\r\n", "Message-ID: <2@example.org>\r\n\r\nhi\r\n"
	s.Append(first)
	look(true)
	if _, err := imapclient.Append(t.Context(), cfg, letter{strings.NewReader(second)}, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.Refuse("not today")
	_, err := imapclient.Search(t.Context(), cfg, "<2@example.org>")
	if at := new(imapclient.Error); !errors.As(err, &at) || at.Stage != imapclient.StageSearch || at.Reply.Text != "not today" {
		t.Error(err)
	}
	s.Refuse("")
	if found, err := imapclient.Search(t.Context(), cfg, "<2@example.org>"); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if got := s.Searches(); !slices.Equal(got, []string{"1@example.org", "1@example.org", "2@example.org"}) {
		t.Errorf("%q was searched for", got)
	}
	if got := s.Messages(); !slices.Equal(got, []string{first, second}) {
		t.Errorf("the folder has %q", got)
	}
	if got := s.Logins(); got != 5 {
		t.Errorf("%d logins", got)
	}
	cfg.Auth.Password = "wrong"
	if _, err := imapclient.Check(t.Context(), cfg); err == nil {
		t.Error("another password is good too")
	}
}
