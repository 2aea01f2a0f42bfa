package secret_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

// BenchmarkEncryptedFile measures the first read of the encrypted file, which is almost only
// scrypt. Each program pays it once.
func BenchmarkEncryptedFile(b *testing.B) {
	file := filepath.Join(b.TempDir(), "secrets.age")
	open := func() *secret.Vault {
		return &secret.Vault{File: file, Getenv: func(string) string { return "" },
			Passphrase: func(context.Context, bool) (string, error) { return phrase, nil }}
	}
	if _, err := open().Set(b.Context(), password, "geheim"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got, err := open().Get(b.Context(), secret.Source{}, password); err != nil || got != "geheim" {
			b.Fatal(got, err)
		}
	}
}
