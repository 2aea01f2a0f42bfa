package secret_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/secret"
)

// A mistyped passphrase is asked for again, three times in all; a file with a wrong passphrase is
// not read again.
func TestPassphraseIsAskedForThreeTimes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typed []string
		asked int
		works bool
	}{
		"first":  {[]string{"open sesame"}, 1, true},
		"third":  {[]string{"a", "", "open sesame"}, 3, true},
		"never":  {[]string{"a", "b", "c", "open sesame"}, 3, false},
		"a file": {nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring, m.typed = nil, "open sesame"
			m.set(t, password, "geheim", secret.InFile)
			m.set(t, token, "a token", secret.InFile)
			for _, use := range []func() error{
				func() error { _, err := m.Get(t.Context(), kept, password); return err },
				func() error { _, err := m.Set(t.Context(), password, "geheim"); return err },
				func() error { return m.Delete(t.Context(), token) },
			} {
				m.renew(m.File)
				m.Keyring = nil
				asked, typed := 0, slices.Clone(tt.typed)
				m.Passphrase = func(_ context.Context, anew bool) (string, error) {
					if anew {
						t.Error("anew is set for an existing file")
					}
					asked++
					next := typed[0]
					typed = typed[1:]
					return next, nil
				}
				if tt.typed == nil {
					wrong := m.File + ".wrong"
					write(t, wrong, "a\n", 0o600)
					m.env["YAN_PASSPHRASE_FILE"] = wrong
				}
				err := use()
				if asked != tt.asked || (err == nil) != tt.works {
					t.Errorf("asked %d times, want %d; %v", asked, tt.asked, err)
				}
				if !tt.works {
					isProblem(t, "", err, secret.Passphrase)
				}
			}
		})
	}
}

// A damaged file is set aside whole and can be put back.
func TestSetAside(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	m.set(t, password, "geheim", secret.InFile)
	m.set(t, token, "a token", secret.InFile)
	whole := readFile(t, m.File)
	write(t, m.File, whole[:len(whole)-1], 0o600)
	m.renew(m.File)
	m.Keyring = nil
	_, err := m.Set(t.Context(), password, "geheim")
	isProblem(t, "", err, secret.Damaged)
	if got := m.Accounts(); !slices.Equal(got, []string{"qq"}) {
		t.Errorf("accounts %q", got)
	}
	day := time.Date(2026, 7, 8, 9, 0, 0, 0, time.UTC)
	to, err := m.Quarantine(t.Context(), secret.QuarantineDamaged, day)
	if want := m.File + ".damaged-2026-07-08"; err != nil || to != want || readFile(t, to) != whole[:len(whole)-1] || !pathExists(to+".names") {
		t.Fatalf("%q, %v; want %q", to, err, want)
	}
	if m.Exists() || m.Accounts() != nil {
		t.Error("the file was not renamed")
	}
	if err := m.PutBack(t.Context(), to); err != nil || readFile(t, m.File) != whole[:len(whole)-1] || len(m.Accounts()) != 1 {
		t.Errorf("PutBack did not restore the file: %v", err)
	}
	if to, err = m.Quarantine(t.Context(), secret.QuarantineDamaged, day); err != nil {
		t.Fatal(err)
	}
	m.set(t, password, "new", secret.InFile)
	again, err := m.Quarantine(t.Context(), secret.QuarantineDamaged, day)
	if want := to + "-2"; err != nil || again != want {
		t.Errorf("%q, %v; want %q", again, err, want)
	}
	m.set(t, password, "newer", secret.InFile)
	m.typed = phrase
	if err := m.PutBack(t.Context(), again); err != nil || pathExists(again) {
		t.Errorf("PutBack did not restore the file: %v", err)
	}
	m.expect(t, password, "new")
}

// If the list of names can't be written, the encrypted file is not written either.
func TestFileAndNamesOrNeither(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	if err := os.MkdirAll(m.File+".names/full", 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := m.Set(t.Context(), password, "geheim")
	isProblem(t, "", err, secret.Unwritable)
	if pathExists(m.File) {
		t.Error("a file was left after an error")
	}
}
