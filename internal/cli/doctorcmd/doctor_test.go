package doctorcmd

import (
	"errors"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/smtp"
)

// A command that never prints its secret is cancelled at the timeout, like any
// other step.
func TestDoctorGivesUpOnASecret(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	d := &doctorFlags{ServerFlags: serverflag.ServerFlags{Timeout: time.Millisecond}}
	acc := account.Account{Name: "a", From: "me@example.org", Server: "smtps://127.0.0.1:1", Secret: account.Secret{Command: "sleep 3600"}}
	exam, err := a.buildExam(&cobra.Command{}, d, doctorTarget{Account: acc, configured: true})
	if err != nil {
		t.Fatal(err)
	}
	var failed *secret.Error
	if _, err := exam.Login(t.Context()); !errors.As(err, &failed) || failed.Problem != secret.Stuck {
		t.Errorf("%v", err)
	}
}

// An account that sends for another address logs in at the same server as
// before.
func TestSendingAsLogsInAsBefore(t *testing.T) {
	t.Parallel()
	n := 0
	for name, acc := range map[string]account.Account{
		"provider of the address": {From: "me@corp.example", Server: "gmail"},
		"by the address alone":    {From: "Me <me@qq.com>"},
		"with OAuth 2.0":          {From: "me@gmail.com", OAuth2: account.OAuth2{ClientID: "id"}},
		"region of the address":   {From: "me@yahoo.co.jp"},
		"with a user":             {From: "me@163.com", User: "someone"},
		"a URL":                   {From: "me@corp.example", Server: "smtps://u%40corp.example@smtp.corp.example"},
	} {
		for _, sender := range []string{"me@outlook.com", "x@aliyun.com", "x@nowhere.example"} {
			n++
			before := accounts.ServerOf(acc)
			login := accounts.LoginName(acc, before, addressOfAccount(t, acc))
			if before.Host == "" {
				t.Fatalf("%s: no server", name)
			}
			other := sendingAs(acc, sender)
			after := accounts.ServerOf(other)
			later := accounts.LoginName(other, after, addressOfAccount(t, other))
			if other.From != sender || after.String() != before.String() || later != login {
				t.Errorf("%s as %s: %s at %s, was %s at %s", name, other.From, later, after, login, before)
			}
			was, _ := credentials.Client(acc)
			if is, _ := credentials.Client(other); is.TokenURL != was.TokenURL {
				t.Errorf("%s as %s: tokens of %s, were of %s", name, sender, is.TokenURL, was.TokenURL)
			}
		}
	}
	if n == 0 {
		t.Fatal("nothing was tried")
	}
}

func addressOfAccount(t *testing.T, acc account.Account) (a smtp.Address) {
	t.Helper()
	a, err := acc.Address()
	if err != nil {
		t.Fatal(err)
	}
	return a
}
