package accountroute_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/imaptest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// router reads a configuration; the secrets come from a small environment.
func router(t *testing.T, source string, env ...string) accountroute.Router {
	t.Helper()
	f, err := account.LoadLenient(write(t, "config.toml", source))
	if err != nil {
		t.Fatal(err)
	}
	return accountroute.Router{File: f, Secrets: credentials.New[account.Account](&secret.Vault{Home: t.TempDir(), Getenv: func(name string) string {
		for i := 0; i < len(env); i += 2 {
			if env[i] == name {
				return env[i+1]
			}
		}
		return ""
	}})}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The route has the settings of the configuration and the facts about the provider.
func TestRoutes(t *testing.T) {
	t.Parallel()
	r := router(t, `
default = "gmail"
[outbox]
in_doubt = "retry"
bounce = "postmaster@example.com"
[account.gmail]
from = "Me <me@gmail.com>"
[account.folder]
from = "you@gmail.com"
sent_folder = "Elsewhere"
[account.outlook]
from = "me@outlook.com"
connections = 7
in_doubt = "hold"
pace = "1/h"
[account.own]
from = "me@example.com"
server = "smtps://smtp.example.com"
[account.business]
from = "me@corp.example"
server = "office365"
[account.qq]
from = "me@qq.com"
`)
	for _, test := range []struct {
		name, provider    string
		connections       int
		doubt             delivery.DoubtPolicy
		from              string
		paced, find, keep bool
	}{
		{"gmail", "gmail", 0, delivery.RetryDoubt, "me@gmail.com", false, true, true},
		{"", "gmail", 0, delivery.RetryDoubt, "me@gmail.com", false, true, true},
		{"folder", "gmail", 0, delivery.RetryDoubt, "you@gmail.com", false, true, false},
		{"outlook", "outlook", 7, delivery.HoldDoubt, "me@outlook.com", true, true, false},      // changes the Message-ID
		{"business", "office365", 0, delivery.RetryDoubt, "me@corp.example", true, true, false}, // at the provider's own pace
		{"own", "", 0, delivery.RetryDoubt, "me@example.com", false, false, false},              // its IMAP server is not known
		{"qq", "qq", 0, delivery.RetryDoubt, "me@qq.com", false, true, false},
	} {
		got, err := r.Find(t.Context(), test.name)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got.Provider != test.provider || got.Connections != test.connections || got.Doubt != test.doubt || got.ReportFrom.String() != test.from ||
			got.Pace.IsZero() == test.paced || (got.Sent != nil) != test.find || got.Keeps != test.keep {
			t.Errorf("%s: %+v", test.name, got)
		}
		if got.ReportTo.String() != "postmaster@example.com" || got.NoReport {
			t.Errorf("%s: reports go to %s, %v", test.name, got.ReportTo, got.NoReport)
		}
	}
	if got, err := router(t, "[account.a]\nfrom = \"me@qq.com\"\n").Find(t.Context(), "a"); err != nil || !got.NoReport || got.Doubt != delivery.HoldDoubt {
		t.Errorf("with no [outbox]: %+v, %v", got, err)
	}
}

func TestNoRoute(t *testing.T) {
	t.Parallel()
	var unknown *account.UnknownAccountError
	if _, err := router(t, "[account.a]\nfrom = \"me@qq.com\"\n").Find(t.Context(), "b"); !errors.As(err, &unknown) {
		t.Errorf("a deleted account: %v", err)
	}
	if _, err := router(t, "").Find(t.Context(), ""); !errors.Is(err, account.ErrNone) {
		t.Errorf("no account at all: %v", err)
	}
	var wrong *account.ParseError
	faulty := router(t, "[outbox]\nin_doubt = \"no\"\n[account.a]\nfrom = \"me@qq.com\"\npace = \"9\"\n[account.b]\nfrom = \"me@163.com\"\n")
	for _, name := range []string{"a", "b"} { // b has no valid in_doubt
		if _, err := faulty.Find(t.Context(), name); !errors.As(err, &wrong) {
			t.Errorf("%s is invalid: %v", name, err)
		}
	}
	got, err := router(t, "[account.a]\nfrom = \"me@qq.com\"\nsecret = { env = \"NOPE\" }\n").Find(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	var missing *secret.Error
	if _, err := got.Open(t.Context(), 1); !errors.As(err, &missing) || !strings.Contains(err.Error(), "account a") {
		t.Errorf("no secret: %v", err)
	}
	if _, err := got.Sent(t.Context()); !errors.As(err, &missing) {
		t.Errorf("no secret for the Sent folder: %v", err)
	}
}

// An account's route sends with the account's secret, over the given number of connections.
func TestRouteSends(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	r := router(t, fmt.Sprintf("[account.a]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { env = \"CODE\" }\n", server.Login(), server.URL(), server.CAFile()),
		"CODE", server.Password())
	found, err := r.Find(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := found.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, result := range sender.SendAll(t.Context(), messages(t, server.Login(), 20)) {
		for _, o := range result.Outcomes {
			if o.Status != smtp.Accepted {
				t.Errorf("outcome %s", o)
			}
			n++
		}
	}
	if err := sender.Close(); err != nil {
		t.Error(err)
	}
	if n != 20 || len(server.Messages()) != 20 {
		t.Errorf("%d outcomes, %d messages", n, len(server.Messages()))
	}
	if n := len(server.Connections()); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func messages(t *testing.T, from string, n int) iter.Seq[smtpclient.Transaction] {
	return func(yield func(smtpclient.Transaction) bool) {
		for range n {
			content, err := message.Compose(&message.Message{From: from, To: []string{"a@example.org"}, Text: "x"})
			if err != nil {
				t.Error(err)
				return
			}
			envelope, err := content.Envelope()
			if err != nil || !yield(smtpclient.Transaction{Envelope: envelope, Content: content}) {
				return
			}
		}
	}
}

// The Sent folder is that of the account's own mailbox.
func TestRouteFinds(t *testing.T) {
	t.Parallel()
	mailbox := imaptest.Start(t)
	ca := write(t, "ca.pem", string(mailbox.PEM))
	r := router(t, fmt.Sprintf("[account.a]\nfrom = %q\nserver = \"smtps://smtp.example.org\"\nimap = \"imaps://%s:%d\"\ntls_ca = %q\nsecret = { env = \"CODE\" }\n",
		mailbox.User, mailbox.Host, mailbox.Port, ca), "CODE", mailbox.Password)
	found, err := r.Find(t.Context(), "a")
	if err != nil || found.Sent == nil {
		t.Fatal(found, err)
	}
	mailbox.Append("Message-ID: <1@example.org>\r\n\r\nx\r\n")
	folder, err := found.Sent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for id, want := range map[string]bool{"<1@example.org>": true, "<2@example.org>": false} {
		if there, err := folder.Find(t.Context(), id); err != nil || there.Found != want || there.Arrived.IsZero() == want {
			t.Errorf("%s: %v, %v", id, there, err)
		}
	}
}

func TestStoreOptions(t *testing.T) {
	t.Parallel()
	if o := accountroute.StoreOptions(account.Outbox{}); o.MinFree >= 0 {
		t.Errorf("MinFree 0 becomes %d", o.MinFree)
	}
	if o := accountroute.StoreOptions(account.Outbox{MinFree: 5}); o.MinFree != 5 {
		t.Errorf("MinFree 5 becomes %d", o.MinFree)
	}
}
