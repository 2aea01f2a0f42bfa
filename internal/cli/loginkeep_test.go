package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/secret/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// busy is a keyring on whose every write another program changes something, too.
type busy struct {
	secret.Keyring
	also func()
	sets int
}

func (b *busy) Set(service, user, s string) error {
	b.sets++
	if b.also != nil {
		b.also()
	}
	return b.Keyring.Set(service, user, s)
}

const (
	withToken    = "version = 1\n\n[account.work]\nfrom = \"me@gmail.com\"\n\n[account.work.oauth2]\nclient_id = \"x\"\n"
	withPassword = "version = 1\n\n[account.work]\nfrom = \"me@qq.com\"\n"
)

// atWork is a setup that has everything but kept it.
func atWork(t *testing.T, d *desk, a *app) *setup {
	t.Helper()
	f, err := account.Load(d.env["YAN_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	old, ok := f.Account("work")
	if !ok {
		t.Fatal("no account")
	}
	l := &setup{a: a, s: &loginFlags{}, ask: a.asker(true), file: f, acc: old, old: &old, trial: a.trial(), relogin: true}
	l.acc.Signature = "Yours"
	return l
}

// What is kept is put back when another program changes the configuration at the
// last moment: a password, and a token.
func TestLoginPutsBack(t *testing.T) {
	t.Parallel()
	for name, keyring := range map[string]func() secret.Keyring{
		"keyring": func() secret.Keyring { return memory{} }, "encrypted file": func() secret.Keyring { return secrettest.None() }} {
		for _, item := range []string{itemPassword, itemOAuth2} {
			t.Run(name+" "+item, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				config := map[string]string{itemPassword: withPassword, itemOAuth2: withToken}[item]
				d.writes(config)
				a, _, errs := testApp("en")
				phrase := filepath.Join(d.home, "phrase")
				if err := os.WriteFile(phrase, []byte("correct horse\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				d.env["YAN_PASSPHRASE_FILE"] = phrase
				a.Getenv = func(name string) string { return d.env[name] }
				ring := &busy{Keyring: keyring()}
				a.keyring = ring
				l := atWork(t, d, a)
				ctx := t.Context()
				if _, err := a.secrets().KeepPassword(ctx, *l.old, "old"); err != nil {
					t.Fatal(err)
				}
				if item == itemOAuth2 {
					if _, err := a.secrets().KeepToken(ctx, *l.old, oauth.Token{Access: "old", Refresh: "older"}); err != nil {
						t.Fatal(err)
					}
					if _, err := l.trial.KeepToken(ctx, l.acc, oauth.Token{Access: "new", Refresh: "newer"}); err != nil {
						t.Fatal(err)
					}
					l.browsed = true
				} else {
					l.password = "new"
				}
				ring.also = func() { d.writes(config + "# theirs\n") }
				if err := l.keep(ctx); err == nil {
					t.Fatal("it was kept")
				}
				if d.config() != config+"# theirs\n" || ring.sets < 2 {
					t.Errorf("%d writes\n%s", ring.sets, d.config())
				}
				if got, err := a.secrets().Password(ctx, *l.old); err != nil || got != "old" {
					t.Errorf("the password is %q, %v: %s", got, err, errs)
				}
				if item == itemOAuth2 {
					source, err := a.secrets().Tokens(ctx, *l.old)
					if err != nil || source.Token.Access != "old" || source.Token.Refresh != "older" {
						t.Errorf("the token: %+v, %v: %s", source, err, errs)
					}
				}
			})
		}
	}
}

// What can't be written is known before a secret is touched.
func TestLoginLooksFirst(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	d := newDesk(t)
	ring := &busy{Keyring: d.keyring}
	d.ring = ring
	// The name is as long as names may be, and the file beside it would be longer.
	d.env["YAN_CONFIG"] = filepath.Join(d.home, strings.Repeat("x", 255))
	d.secrets = []string{sandboxPassword}
	code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != exitCantCreate || ring.sets != 0 {
		t.Errorf("%d, %d writes: %s", code, ring.sets, errs)
	}
	d.empty()
}

// The file of an account's own secret is put back as well, or goes again.
func TestLoginPutsOwnFileBack(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	for _, before := range []string{"", "old\n"} {
		d := newDesk(t)
		path := filepath.Join(d.home, "yan", "qq.secret")
		config := "version = 1\n\n[account.qq]\nfrom = \"me@qq.com\"\n"
		if before != "" {
			config += "secret.file = \"qq.secret\"\n"
		}
		d.writes(config)
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o400); err != nil {
				t.Fatal(err)
			}
		}
		d.ring = &busy{Keyring: secrettest.None(), also: func() { d.writes(config + "# theirs\n") }}
		d.answers, d.secrets = []string{"2"}, []string{sandboxPassword}
		code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com", "--replace")
		if code != exitTemporary || !strings.Contains(errs, "changed by another program") {
			t.Errorf("%d %s", code, errs)
		}
		text, err := os.ReadFile(path)
		if string(text) != before || (err == nil) != (before != "") {
			t.Errorf("the file holds %d octets, want %q: %v", len(text), before, err)
		}
		if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o400 {
			t.Errorf("its mode is %v", info.Mode())
		}
		if d.config() != config+"# theirs\n" {
			t.Errorf("the configuration:\n%s", d.config())
		}
	}
}

// A secret that can't be read can't be put back either: the new one, which has been
// tried, stays, and that is said.
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
	a.keyring = secrettest.None()
	l := atWork(t, d, a)
	if _, err := a.secrets().KeepPassword(t.Context(), *l.old, "old"); err != nil {
		t.Fatal(err)
	}
	delete(d.env, "YAN_PASSPHRASE_FILE") // forgotten, and there is a keyring by now
	a.keyring = &busy{Keyring: memory{}, also: func() { d.writes(withPassword + "# theirs\n") }}
	l.password = "new"
	if err := l.keep(t.Context()); err == nil {
		t.Fatal("it was kept")
	}
	if got, err := a.secrets().Password(t.Context(), *l.old); err != nil || got != "new" {
		t.Errorf("%q, %v", got, err)
	}
	wants(t, "the terminal", errs.String(), "could not be taken back: what was kept before could not be read")
}
