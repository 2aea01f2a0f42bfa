package logincmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

const (
	withToken    = "version = 1\n\n[account.work]\nfrom = \"me@gmail.com\"\n\n[account.work.oauth2]\nclient_id = \"x\"\n"
	withPassword = "version = 1\n\n[account.work]\nfrom = \"me@qq.com\"\n"
)

// atWork returns a setup that only has to be stored.
func atWork(t *testing.T, d *desk, a *loginCommand) *loginSetup {
	t.Helper()
	f, err := account.Load(d.env["YAN_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	old, ok := f.Account("work")
	if !ok {
		t.Fatal("no account")
	}
	l := &loginSetup{a: a, s: &loginFlags{}, ask: a.Asker(true), file: f, acc: old, old: &old, trial: a.newTrialSecrets(), relogin: true}
	l.acc.Signature = "Yours"
	return l
}

// If another program changes the configuration at the last moment, the previous password or token
// is restored.
func TestLoginPutsBack(t *testing.T) {
	t.Parallel()
	for name, keyring := range map[string]func() secret.Keyring{
		"keyring": func() secret.Keyring { return memoryKeyring{} }, "encrypted file": func() secret.Keyring { return secrettest.None() }} {
		for _, item := range []string{accounts.ItemPassword, accounts.ItemOAuth2} {
			t.Run(name+" "+item, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				config := map[string]string{accounts.ItemPassword: withPassword, accounts.ItemOAuth2: withToken}[item]
				d.writes(config)
				a, _, errs := testApp("en")
				phrase := filepath.Join(d.home, "phrase")
				if err := os.WriteFile(phrase, []byte("correct horse\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				d.env["YAN_PASSPHRASE_FILE"] = phrase
				a.Getenv = func(name string) string { return d.env[name] }
				ring := &clitest.BusyKeyring{Keyring: keyring()}
				a.Keyring = ring
				l := atWork(t, d, a)
				ctx := t.Context()
				if _, err := a.Secrets().KeepPassword(ctx, *l.old, "old"); err != nil {
					t.Fatal(err)
				}
				if item == accounts.ItemOAuth2 {
					if _, err := a.Secrets().KeepToken(ctx, *l.old, oauth.Token{Access: "old", Refresh: "older"}); err != nil {
						t.Fatal(err)
					}
					if _, err := l.trial.KeepToken(ctx, l.acc, oauth.Token{Access: "new", Refresh: "newer"}); err != nil {
						t.Fatal(err)
					}
					l.browsed = true
				} else {
					l.password = "new"
				}
				ring.Also = func() { d.writes(config + "# theirs\n") }
				if err := (&keeper{loginSetup: l}).storeAccount(ctx); err == nil {
					t.Fatal("the account was stored")
				}
				if d.config() != config+"# theirs\n" || ring.Sets < 2 {
					t.Errorf("%d writes\n%s", ring.Sets, d.config())
				}
				if got, err := a.Secrets().Password(ctx, *l.old); err != nil || got != "old" {
					t.Errorf("the password is %q, %v: %s", got, err, errs)
				}
				if item == accounts.ItemOAuth2 {
					source, err := a.Secrets().Tokens(ctx, *l.old)
					if err != nil || source.Token.Access != "old" || source.Token.Refresh != "older" {
						t.Errorf("the token: %+v, %v: %s", source, err, errs)
					}
				}
			})
		}
	}
}

// A previous secret that can't be read can't be restored either: the new one, which was tested,
// stays, and a message says so.
func TestLoginCannotPutBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.writes(withPassword)
	a, _, errs := testApp("en")
	phrase := filepath.Join(d.home, "phrase")
	if err := os.WriteFile(phrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.Getenv = func(name string) string { return d.env[name] }
	d.env["YAN_PASSPHRASE_FILE"] = phrase
	a.Keyring = secrettest.None()
	l := atWork(t, d, a)
	if _, err := a.Secrets().KeepPassword(t.Context(), *l.old, "old"); err != nil {
		t.Fatal(err)
	}
	delete(d.env, "YAN_PASSPHRASE_FILE") // forgotten, and there is a keyring now
	a.Keyring = &clitest.BusyKeyring{Keyring: memoryKeyring{}, Also: func() { d.writes(withPassword + "# theirs\n") }}
	l.password = "new"
	if err := (&keeper{loginSetup: l}).storeAccount(t.Context()); err == nil {
		t.Fatal("the account was stored")
	}
	if got, err := a.Secrets().Password(t.Context(), *l.old); err != nil || got != "new" {
		t.Errorf("%q, %v", got, err)
	}
	clitest.Wants(t, "the terminal", errs.String(), "could not be removed again: what was kept before could not be read")
}
