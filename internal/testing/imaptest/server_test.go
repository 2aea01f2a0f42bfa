package imaptest_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/testing/imaptest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
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
		t.Errorf("searched for %q", got)
	}
	if got := s.Messages(); !slices.Equal(got, []string{first, second}) {
		t.Errorf("the folder has %q", got)
	}
	if got := s.Logins(); got != 5 {
		t.Errorf("%d logins", got)
	}
	cfg.Auth.Password = "wrong"
	if _, err := imapclient.Check(t.Context(), cfg); err == nil {
		t.Error("a wrong password is accepted")
	}
}

// A program that sends through the sandbox finds here the messages that a
// provider would have saved: the account has both servers, and the Message-ID
// is that of the sent message.
func TestBesideTheSandbox(t *testing.T) {
	t.Setenv("YAN_CONFIG", filepath.Join(t.TempDir(), "config.toml"))
	sandbox := sandboxtest.Start(t, "plain")
	sent := imaptest.StartAs(t, sandbox.Login(), sandbox.Password())
	dir := filepath.Dir(os.Getenv("YAN_CONFIG"))
	config := fmt.Sprintf("[account.a]\nfrom = %q\nserver = %q\nuser = %[1]q\nimap = %[3]q\ntls_ca = \"ca.pem\"\nsecret.file = \"code\"\n",
		sandbox.Login(), sandbox.URL(), sent.URL())
	for name, text := range map[string]string{"config.toml": config, "code": sandbox.Password(), "ca.pem": string(sandbox.CAPEM()) + string(sent.PEM)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client, err := account.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Send(t.Context(), yan.Message{From: sandbox.Login(), To: []string{"a@example.org"}, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	file, err := account.Parse(os.Getenv("YAN_CONFIG"), []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	a, err := file.Choose("a", smtp.Address{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := accountroute.MailboxOf(t.Context(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	messages := sandbox.WaitMessages(1)
	id := messages[0].Header("Message-ID")
	for i, filed := range []bool{false, true} {
		if filed {
			sent.Append("Message-ID: " + id + "\r\n\r\nx\r\n")
		}
		if found, err := imapclient.Search(t.Context(), cfg, id); err != nil || found != filed || len(sent.Searches()) != i+1 {
			t.Errorf("%s: %v, %v; searched for %q", id, found, err, sent.Searches())
		}
	}
}
