package account_test

import (
	"errors"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// The error about a secret, also that of the outbox's password, can be examined with public
// types.
func TestSecretError(t *testing.T) {
	t.Parallel()
	secrets := credentials.New[account.Account](&secret.Vault{Keyring: secrettest.New()})
	want := func(err error, name string, problem account.SecretProblem) {
		t.Helper()
		e, ok := errors.AsType[*account.SecretError](err)
		if !ok || e.Account != name || e.Problem != problem || e.Error() == "" {
			t.Errorf("%#v, want %s of %s", err, problem, name)
		}
	}
	_, err := one(t, "from = \"me@qq.com\"").Options(t.Context(), secrets)
	want(err, "a", account.SecretNotFound)
	_, err = one(t, "from = \"me@gmail.com\"\noauth2 = { client_id = \"x\" }").Options(t.Context(), secrets)
	want(err, "a", account.SecretNotFound)
	f, err := account.Parse("config.toml", []byte("[outbox]\nurl = \"postgres://u@db.example.com/x\"\npassword_command = \"exit 3\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Outbox().Where(t.Context(), secrets)
	want(err, "outbox", "command_failed")
}
