package secret_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

const phrase = "correct horse"

var (
	kept     = secret.Source{}
	password = secret.Key{Account: "qq", Item: "password", Host: "smtp.qq.com", User: "me@qq.com"}
	token    = secret.Key{Account: "qq", Item: "oauth2"}
)

// testMachine is a vault and its environment.
type testMachine struct {
	*secret.Vault
	ring  *secrettest.Keyring
	env   map[string]string
	asked []bool // the value of anew in each call of Passphrase
	typed string
}

// newMachine returns a machine with an empty keyring and a user who knows the passphrase.
func newMachine(t *testing.T) *testMachine {
	t.Helper()
	m := &testMachine{ring: secrettest.New(), env: map[string]string{}, typed: phrase}
	folder := t.TempDir()
	m.renew(filepath.Join(folder, "yan", "secrets.age"))
	m.Home = folder
	return m
}

// renew replaces the vault by a new one on the same machine, as in another process.
func (m *testMachine) renew(file string) {
	home := ""
	if m.Vault != nil {
		home = m.Home
	}
	m.Vault = (&secret.Vault{
		Keyring: m.ring, File: file, Home: home,
		Getenv: func(name string) string { return m.env[name] },
		Passphrase: func(_ context.Context, anew bool) (string, error) {
			m.asked = append(m.asked, anew)
			return m.typed, nil
		},
	}).Cheap(io.Discard)
}

func (m *testMachine) set(t *testing.T, key secret.Key, s string, want secret.Location) {
	t.Helper()
	if place, err := m.Set(t.Context(), key, s); err != nil || place != want {
		t.Fatalf("Set: %q, %v; want %q", place, err, want)
	}
}

func (m *testMachine) expect(t *testing.T, key secret.Key, want string) {
	t.Helper()
	if got, err := m.Get(t.Context(), kept, key); err != nil || got != want {
		t.Fatalf("Get: %q, %v; want %q", got, err, want)
	}
}

func (m *testMachine) expectProblem(t *testing.T, key secret.Key, want secret.Problem) *secret.Error {
	t.Helper()
	got, err := m.Get(t.Context(), kept, key)
	return isProblem(t, got, err, want)
}

func isProblem(t *testing.T, got string, err error, want secret.Problem) *secret.Error {
	t.Helper()
	e, ok := errors.AsType[*secret.Error](err)
	if !ok || e.Problem != want || got != "" {
		t.Fatalf("%q, %v; want the problem %s", got, err, want)
	}
	return e
}

func TestKeyringComesFirst(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.expectProblem(t, password, secret.NotFound)
	m.set(t, password, " geheim\n", secret.InKeyring)
	m.expect(t, password, "geheim")
	if got := m.ring.Entries(); len(got) != 1 || got["qq/password"] != "geheim" {
		t.Errorf("the keyring holds %v", got)
	}
	m.expectProblem(t, token, secret.NotFound)
	if len(m.asked) != 0 || pathExists(m.File) {
		t.Error("the encrypted file was touched")
	}
	if err := m.Delete(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	m.expectProblem(t, password, secret.NotFound)
	if err := m.Delete(t.Context(), password); err != nil {
		t.Errorf("deleting a missing secret: %v", err)
	}
}

func TestWithoutKeyringTheFileIsUsed(t *testing.T) {
	t.Parallel()
	for name, ring := range map[string]secret.Keyring{
		"nil": nil, "none": secrettest.None(), "fails": secrettest.Failing(errors.New("D-Bus broke")),
		"short": secrettest.Failing(secret.ErrTooLong), "forgetful": forgetful{secrettest.New()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring = ring
			m.set(t, password, "geheim", secret.InFile)
			m.set(t, token, "a token", secret.InFile)
			m.renew(m.File)
			m.Keyring = ring
			m.expect(t, password, "geheim")
			m.expect(t, token, "a token")
			if len(m.asked) != 2 || !m.asked[0] || m.asked[1] {
				t.Errorf("the passphrase was asked with anew = %v, want [true false]: once for each vault", m.asked)
			}
			if err := m.Delete(t.Context(), password); err != nil && name != "fails" && name != "short" {
				t.Fatal(err)
			}
			m.expect(t, token, "a token")
			if got, err := m.Get(t.Context(), kept, password); err == nil {
				t.Errorf("after Delete: %q", got)
			}
		})
	}
}

// forgetful is a keyring that accepts every secret and stores none.
type forgetful struct{ *secrettest.Keyring }

func (forgetful) Set(_, _, _ string) error { return nil }

// The newer of two secrets wins: one written to the file while the keyring could not be used, and
// one written to the keyring afterwards.
func TestNewerWins(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.set(t, password, "first", secret.InKeyring)
	m.ring.Fail(secret.ErrNoKeyring)
	m.set(t, password, "second", secret.InFile)
	m.set(t, token, "a token", secret.InFile)
	m.ring.Fail(nil)
	m.expect(t, password, "second")

	// Another process without a user to ask.
	m.renew(m.File)
	m.Passphrase = nil
	m.set(t, password, "third", secret.InKeyring)
	m.expect(t, password, "third")
	m.expectProblem(t, token, secret.Unavailable)
	m.ring.Fail(secret.ErrNoKeyring)
	m.expectProblem(t, password, secret.NotFound) // "second" is outdated

	// A process with the passphrase does not revive it.
	m.renew(m.File)
	m.expectProblem(t, password, secret.NotFound)
	m.expect(t, token, "a token")
	m.set(t, token, "another token", secret.InFile)
	m.expectProblem(t, password, secret.NotFound)
	m.ring.Fail(nil)
	m.expect(t, password, "third")

	// The last secret goes into the keyring: the file is deleted.
	m.renew(m.File)
	m.Passphrase = nil
	m.set(t, token, "a third token", secret.InKeyring)
	if pathExists(m.File) || pathExists(m.File+".names") {
		t.Error("an encrypted file without a valid secret was left")
	}
}

// While the keyring is locked, no secret is written to the file.
func TestLockedKeyringIsNotGoneAround(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.ring.Fail(secret.ErrLocked)
	m.expectProblem(t, password, secret.Locked)
	_, err := m.Set(t.Context(), password, "geheim")
	isProblem(t, "", err, secret.Locked)
	isProblem(t, "", m.Delete(t.Context(), password), secret.Locked)
	if pathExists(m.File) {
		t.Error("the secret was written to the file")
	}
	// A secret in the file is still found.
	m.ring.Fail(secret.ErrNoKeyring)
	m.set(t, password, "geheim", secret.InFile)
	m.ring.Fail(secret.ErrLocked)
	m.expect(t, password, "geheim")
	if err := os.Remove(m.File + ".names"); err != nil {
		t.Fatal(err)
	}
	m.expect(t, password, "geheim")
	m.expectProblem(t, token, secret.Locked)
	m.renew(m.File)
	m.Passphrase = nil
	m.expectProblem(t, password, secret.Locked) // not Unavailable
}

// blocking is a keyring whose dialog is never answered.
type blocking struct{ released chan struct{} }

func (b blocking) Get(_, _ string) (string, error) { <-b.released; return "", secret.ErrNotFound }
func (b blocking) Set(_, _, _ string) error        { <-b.released; return nil }
func (b blocking) Delete(_, _ string) error        { <-b.released; return nil }

func TestKeyringIsWaitedForOneMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := blocking{make(chan struct{})}
		v := &secret.Vault{Keyring: b, Getenv: func(string) string { return "" }}
		start := time.Now()
		got, err := v.Get(t.Context(), kept, password)
		isProblem(t, got, err, secret.Locked)
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited for %v", waited)
		}
		_, err = v.Set(t.Context(), password, "geheim")
		isProblem(t, "", err, secret.Locked)
		isProblem(t, "", v.Delete(t.Context(), password), secret.Locked)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		got, err = v.Get(ctx, kept, password)
		if e := isProblem(t, got, err, secret.Locked); !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%v has no reason", e)
		}
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited for %v, the context has one second", waited)
		}

		stopped := errors.New("stopped by the user")
		ctx, stop := context.WithCancelCause(t.Context())
		stop(stopped)
		got, err = v.Get(ctx, kept, password)
		if e := isProblem(t, got, err, secret.Locked); !errors.Is(e, context.Canceled) || !errors.Is(e, stopped) {
			t.Errorf("%v has no reason", e)
		}
		close(b.released)
	})
}

// Concurrent calls of one vault ask for the passphrase once.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	var all sync.WaitGroup
	keys := make([]secret.Key, 8)
	for i := range keys {
		keys[i] = secret.Key{Account: string(rune('a' + i)), Item: "password"}
		all.Go(func() {
			if _, err := m.Set(t.Context(), keys[i], "secret of "+keys[i].Account); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	m.renew(m.File)
	for _, key := range keys {
		all.Go(func() {
			if got, err := m.Get(t.Context(), kept, key); err != nil || got != "secret of "+key.Account {
				t.Errorf("%s: %q, %v", key.Account, got, err)
			}
		})
	}
	all.Wait()
	if len(m.asked) != 2 {
		t.Errorf("the passphrase was asked for %d times, want once for each vault", len(m.asked))
	}
}

func pathExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // independent of the umask
		t.Fatal(err)
	}
}

// A secret that the keyring has outdated stays outdated if the list is lost, and a secret that is
// only in the file is still found.
func TestOutdatedWithoutTheList(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	only := secret.Key{Account: "only", Item: "password"}
	m.ring.Fail(secret.ErrNoKeyring)
	m.set(t, password, "old", secret.InFile)
	m.set(t, only, "in the file", secret.InFile)
	m.ring.Fail(nil)
	m.Passphrase = nil
	m.renew(m.File)
	m.Passphrase = nil // no user to ask, so the secret is only marked
	m.set(t, password, "new", secret.InKeyring)
	if err := os.Remove(m.File + ".names"); err != nil {
		t.Fatal(err)
	}
	m.renew(m.File)
	m.ring.Fail(secret.ErrNoKeyring)
	m.set(t, token, "another", secret.InFile)
	m.ring.Fail(nil)
	for range 2 { // the second time after another write, with the list that the first one wrote
		m.renew(m.File)
		m.expect(t, password, "new")
		m.expect(t, only, "in the file")
		m.expect(t, token, "another")
		m.renew(m.File)
		m.ring.Fail(secret.ErrNoKeyring)
		m.set(t, token, "another", secret.InFile)
		m.ring.Fail(nil)
	}
	for _, key := range []secret.Key{password, only, token} {
		if err := m.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if pathExists(m.File) || pathExists(m.File+".names") {
		t.Error("an empty encrypted file was left")
	}
}
