package account_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtpclient"
)

// one parses a configuration with one account.
func one(t *testing.T, keys string) account.Account {
	t.Helper()
	f := parse(t, "[account.a]\n"+keys)
	a, err := f.Choose("a", address(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestOptionsReadTheSecretWhereItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := map[string]string{"CODE": "from env", "CREDENTIALS_DIRECTORY": dir, "NETRC": write("netrc", "machine smtp.qq.com login me@qq.com password netrc\n")}
	write("cred", "from systemd")
	ring := secrettest.New()
	secrets := credentials.New[account.Account](&secret.Vault{Keyring: ring, Getenv: func(n string) string { return env[n] }, Home: dir})
	kept := one(t, `from = "me@qq.com"`)
	if _, err := secrets.KeepPassword(t.Context(), kept, "from keyring"); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		`secret = { file = '` + write("code", "from file\n") + `' }`: "from file",
		`secret = { command = "echo from command" }`:                 "from command",
		`secret = { env = "CODE" }`:                                  "from env",
		`secret = { credential = "cred" }`:                           "from systemd",
		`secret = { netrc = true }`:                                  "netrc",
		`secret = { netrc = '` + env["NETRC"] + `' }`:                "netrc",
		``:                            "from keyring",
		`secret = { keyring = true }`: "from keyring",
	}
	for keys, want := range tests {
		o, err := one(t, "from = \"me@qq.com\"\n"+keys).Options(t.Context(), secrets)
		if err != nil || o.Password != want {
			t.Errorf("%s: got %q, %v, want %q", keys, o.Password, err, want)
		}
		if shown := fmt.Sprintf("%v %+v %#v", o, secrets, err); strings.Contains(shown, want) && want != "netrc" {
			t.Errorf("%s: shown in %s", keys, shown)
		}
	}
	if err := secrets.Forget(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	var missing *secret.Error
	if _, err := kept.Options(t.Context(), secrets); !errors.As(err, &missing) || missing.Problem != secret.NotFound {
		t.Errorf("a forgotten secret: %v", err)
	}
}

// A stored secret belongs to one user at one provider. An account of the same name with another
// server, another user or another client ID does not get it; the same provider at another port
// does.
func TestKeptSecretsAreForOneLogin(t *testing.T) {
	t.Parallel()
	before := "from = \"me@qq.com\"\noauth2.client_id = \"x\"\noauth2.token_url = \"https://id.example/token\"\n"
	for keys, same := range map[string]bool{
		before: true,
		before + "signature = \"x\"\ntls_pin = \"\"\n":            true,
		before + "server = \"smtp://smtp.qq.com:587\"\n":          true,
		before + "server = \"qq\"\nuser = \"me@qq.com\"\n":        true,
		strings.Replace(before, "me@qq.com", "Me <me@qq.com>", 1): true,
		before + "server = \"smtps://smtp.evil.example\"\n":       false,
		before + "server = \"163\"\nuser = \"me@qq.com\"\n":       false,
		before + "user = \"you@qq.com\"\n":                        false,
		strings.Replace(before, "me@qq.com", "me@163.com", 1):     false,
		strings.Replace(before, "me@qq.com", "you@qq.com", 1):     false,
	} {
		secrets := credentials.New[account.Account](&secret.Vault{Keyring: secrettest.New()})
		was, is := one(t, before), one(t, keys)
		if _, err := secrets.KeepPassword(t.Context(), was, "the password"); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.KeepToken(t.Context(), was, oauth.Token{Refresh: "the token", Access: "x"}); err != nil {
			t.Fatal(err)
		}
		_, err := secrets.Password(t.Context(), is)
		_, tokenErr := secrets.Tokens(t.Context(), is)
		for _, err := range []error{err, tokenErr} {
			e, refused := errors.AsType[*secret.Error](err)
			if same != (err == nil) || refused && e.Problem != secret.OtherLogin {
				t.Errorf("%s: %v, want it given: %v", keys, err, same)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, e), "the password") || strings.Contains(fmt.Sprint(err), "the token") {
				t.Errorf("%v shows the secret", err)
			}
		}
	}
	// Tokens also belong to one authorization server.
	secrets := credentials.New[account.Account](&secret.Vault{Keyring: secrettest.New()})
	if _, err := secrets.KeepToken(t.Context(), one(t, before), oauth.Token{Refresh: "the token"}); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Tokens(t.Context(), one(t, strings.Replace(before, "id.example", "other.example", 1))); err == nil {
		t.Error("a token goes to another place that gives tokens")
	}
}

// A local relay needs no login, and no secret is read.
func TestOptionsOfAServerWithoutLogin(t *testing.T) {
	t.Parallel()
	a := one(t, "from = \"me@example.org\"\nserver = \"smtp+notls://127.0.0.1\"\nconnections = 3\npipelining = false\npipeline_messages = \"always\"\n")
	o, err := a.Options(t.Context(), credentials.New[account.Account](&secret.Vault{}))
	if err != nil || o.Password != "" || o.MaxConnections != 3 || !o.NoPipelining || o.PipelineMessages != smtpclient.AllServers {
		t.Errorf("got %v, %v", o, err)
	}
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	issuer := oauthtest.Start(t, oauthtest.Config{Rotate: true})
	server := sandboxtest.Start(t, "plain", sandboxtest.WithTokens(func(_, token string) bool {
		_, ok := issuer.Valid(token)
		return ok
	}))
	a := one(t, fmt.Sprintf("from = %q\nserver = %q\nuser = %q\ntls_ca = %q\nauth = \"xoauth2\"\noauth2 = { client_id = %q, token_url = %q }\n",
		server.Login(), server.URL(), server.Login(), server.CAFile(), issuer.ClientID(), issuer.TokenURL))
	secrets := credentials.New[account.Account](&secret.Vault{Keyring: secrettest.New()})
	if _, err := a.Options(t.Context(), secrets); err == nil {
		t.Error("no token is kept, and there is no error")
	}
	granted := issuer.Grant(server.Login())
	if _, err := secrets.KeepToken(t.Context(), a, oauth.Token{Access: granted.Access, Refresh: granted.Refresh, Expiry: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	send := func() error {
		o, err := a.Options(t.Context(), secrets)
		if err != nil {
			return err
		}
		client, err := yan.Open(a.Server, o)
		if err != nil {
			return err
		}
		defer client.Close()
		_, err = client.Send(t.Context(), yan.Message{From: a.From, To: []string{"a@example.org"}, Text: "x"})
		return err
	}
	if err := send(); err != nil {
		t.Fatal("with the token of the consent:", err)
	}
	issuer.Revoke(granted.Access)
	if err := send(); err != nil {
		t.Fatal("behind a refusal:", err)
	}
	if got := issuer.Calls().Refresh; got != 1 {
		t.Errorf("refreshed %d times", got)
	}
	if err := send(); err != nil { // with the fresh token, which was stored
		t.Fatal("with the kept one:", err)
	}
	if got := issuer.Calls().Refresh; got != 1 {
		t.Errorf("the fresh token was not kept: refreshed %d times", got)
	}
	issuer.EndConsent(server.Login())
	err := send()
	if !errors.Is(err, oauth.ErrConsent) {
		t.Errorf("the consent has ended: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), granted.Access) || strings.Contains(fmt.Sprint(err), granted.Refresh) {
		t.Errorf("the error shows a token: %v", err)
	}
}

func TestOAuthClientOfProviders(t *testing.T) {
	t.Parallel()
	c, ok := credentials.Client(one(t, "from = \"me@outlook.com\"\noauth2 = { client_id = \"x\", tenant = \"my corp\" }"))
	if !ok || c.ID != "x" || !strings.Contains(c.TokenURL, "/my%20corp/") || len(c.Scopes) == 0 || c.LoginHint != "me@outlook.com" {
		t.Errorf("got %+v, %v", c, ok)
	}
	if _, ok := credentials.Client(one(t, "from = \"me@gmail.com\"")); ok {
		t.Error("an account with a password has a client")
	}
}

// TestOpen runs the first example of the package.
func TestOpen(t *testing.T) {
	server := sandboxtest.Start(t, "plain")
	dir := t.TempDir()
	t.Setenv("YAN_CONFIG", filepath.Join(dir, "config.toml"))
	config := fmt.Sprintf("[account.a]\nfrom = %q\nserver = %q\nuser = %q\ntls_ca = %q\nsecret.file = \"code\"\n",
		server.Login(), server.URL(), server.Login(), server.CAFile())
	for name, text := range map[string]string{"config.toml": config, "code": server.Password()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "a"} {
		client, err := account.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Send(t.Context(), yan.Message{From: server.Login(), To: []string{"a@example.org"}, Text: "x"})
		if err := errors.Join(err, client.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var unknown *account.UnknownAccountError
	if _, err := account.Open(t.Context(), "b"); !errors.As(err, &unknown) {
		t.Errorf("an unknown account: %v", err)
	}
	t.Setenv("YAN_CONFIG", filepath.Join(dir, "none.toml"))
	if _, err := account.Open(t.Context(), ""); !errors.Is(err, account.ErrNone) {
		t.Errorf("no configuration: %v", err)
	}
}

func TestKeepsSent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		keys string
		want bool
		host string
	}{
		{`from = "me@qq.com"`, false, "imap.qq.com"},
		{"from = \"me@163.com\"\nsave_sent = \"always\"", true, "imap.163.com"},
		{"from = \"me@gmail.com\"\nsave_sent = true", false, "imap.gmail.com"}, // Gmail keeps a copy itself
		{"from = \"me@gmail.com\"\nsave_sent = \"always\"", true, "imap.gmail.com"},
		{"from = \"me@x.example\"\nserver = \"smtps://x.example\"\nsave_sent = true", false, ""},
		{"from = \"me@x.example\"\nserver = \"smtps://x.example\"\nsave_sent = true\nimap = \"imap://i.example:1143\"", true, "i.example"},
		{"from = \"me@qq.com\"\nsave_sent = \"never\"", false, "imap.qq.com"},
	}
	for _, test := range tests {
		a := one(t, test.keys)
		mailbox, err := a.Mailbox()
		if got := a.KeepsSent(); got != test.want || err != nil || mailbox.Host != test.host {
			t.Errorf("%s: got %v, %q, %v, want %v, %q", test.keys, got, mailbox.Host, err, test.want, test.host)
		}
	}
}

func TestSentMailboxLogsInAsTheAccount(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "the code" }
	a := one(t, "from = \"me@qq.com\"\nsecret.env = \"CODE\"\nsent_folder = \"x\"")
	c, err := accountroute.MailboxOf(t.Context(), a, credentials.New[account.Account](&secret.Vault{Getenv: env}))
	if err != nil || c.Auth.Username != "me@qq.com" || c.Auth.Password != "the code" || c.Folder != "x" {
		t.Errorf("got %v, %v", c.Auth, err)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	a := one(t, `from = "me@qq.com"`)
	if got := a.File("~/x"); got == "~/x" || !filepath.IsAbs(got) {
		t.Errorf("~/x is %q", got)
	}
	if got := a.File(""); got != "" {
		t.Errorf("nothing is %q", got)
	}
}
