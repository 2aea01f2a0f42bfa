package secrettest

import (
	"errors"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

// Conform tests a keyring against the contract of secret.Keyring. It uses the service "yan-test"
// and leaves no entries there.
func Conform(t *testing.T, k secret.Keyring) {
	t.Helper()
	const service, user = "yan-test", "conform/password"
	expect := func(want string, wantErr error) {
		t.Helper()
		got, err := k.Get(service, user)
		if got != want || !errors.Is(err, wantErr) {
			t.Fatalf("Get: %d octets (%.40q), %v; want %d octets (%.40q), %v", len(got), got, err, len(want), want, wantErr)
		}
	}
	expect("", secret.ErrNotFound)
	if err := k.Delete(service, user); !errors.Is(err, secret.ErrNotFound) {
		t.Fatalf("Delete of nothing: %v, want %v", err, secret.ErrNotFound)
	}
	for _, s := range []string{
		"geheim", "with = a, space%20&more \"quoted\" 'twice' \\ $HOME `id`", "授权码", strings.Repeat("a long token ", 600),
		"x", strings.Repeat("another one. ", 500), "yan-pieces a 3 0000", "the last",
	} {
		if err := k.Set(service, user, s); err != nil {
			t.Fatalf("Set of %d octets: %v", len(s), err)
		}
		expect(s, nil)
		if got, err := k.Get(service, "conform/oauth2"); !errors.Is(err, secret.ErrNotFound) {
			t.Fatalf("Get of another user: %.40q, %v", got, err)
		}
	}
	if err := k.Delete(service, user); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	expect("", secret.ErrNotFound)
}
