package account_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// strict starts an authorization server that revokes the consent if it sees a refresh token
// twice, and creates an account whose access token has expired.
func strict(t *testing.T) (*oauthtest.Server, string, oauth.Token) {
	t.Helper()
	issuer := oauthtest.Start(t, oauthtest.Config{Rotate: true, ReuseEnds: true})
	keys := fmt.Sprintf("from = \"me@example.org\"\nserver = \"smtps://127.0.0.1\"\noauth2 = { client_id = %q, token_url = %q }\n",
		issuer.ClientID(), issuer.TokenURL)
	granted := issuer.Grant("me@example.org")
	t.Cleanup(func() {
		if p := issuer.Problems(); len(p) > 0 {
			t.Error(p)
		}
	})
	return issuer, keys, oauth.Token{Access: granted.Access, Refresh: granted.Refresh, Expiry: time.Now().Add(-time.Minute)}
}

// sealedVault returns a vault with the encrypted file in a folder, and the file's passphrase
// there.
func sealedVault(dir string) *secret.Vault {
	return &secret.Vault{WorkFactor: secrettest.WorkFactor, File: filepath.Join(dir, "secrets.age"), Getenv: func(name string) string {
		if name == "YAN_PASSPHRASE_FILE" {
			return filepath.Join(dir, "passphrase")
		}
		return ""
	}}
}

func newSealed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "passphrase"), []byte("open\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tokenStores returns, for each place where a token can be stored, a function that opens a vault
// as a new process would: secret.Stored has no other places, and no other kind of source stores
// tokens.
func tokenStores(t *testing.T) map[secret.Location]func() *secret.Vault {
	keyring, dir, sealed := secrettest.New(), t.TempDir(), newSealed(t)
	return map[secret.Location]func() *secret.Vault{
		secret.InKeyring: func() *secret.Vault {
			return &secret.Vault{Keyring: keyring, File: filepath.Join(dir, "secrets.age")}
		},
		secret.InFile: func() *secret.Vault { return sealedVault(sealed) },
	}
}

// Five sources that need a fresh token at once refresh it once.
func TestTokenIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	for place, vault := range tokenStores(t) {
		t.Run(string(place), func(t *testing.T) {
			t.Parallel()
			issuer, keys, expired := strict(t)
			a := one(t, keys)
			if got, err := credentials.New[account.Account](vault()).KeepToken(t.Context(), a, expired); err != nil || got != place {
				t.Fatalf("kept in %q, %v", got, err)
			}
			var sources []*oauth.TokenSource
			for range 5 {
				source, err := credentials.New[account.Account](vault()).Tokens(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				sources = append(sources, source)
			}
			accessAll(t, issuer, sources, "")
			if n := issuer.Calls().Refresh; n != 1 {
				t.Errorf("%d refreshes", n)
			}
			// The mail server refuses it for all of them: one more refresh, not five.
			token, _ := sources[0].Access(t.Context(), "")
			issuer.Revoke(token)
			accessAll(t, issuer, sources, token)
			if n := issuer.Calls().Refresh; n != 2 {
				t.Errorf("%d refreshes after a refusal", n)
			}
		})
	}
}

func accessAll(t *testing.T, issuer *oauthtest.Server, sources []*oauth.TokenSource, refused string) {
	t.Helper()
	var all sync.WaitGroup
	for _, source := range sources {
		all.Go(func() {
			token, err := source.Access(t.Context(), refused)
			if _, ok := issuer.Valid(token); err != nil || !ok {
				t.Errorf("valid %v, %v", ok, err)
			}
		})
	}
	all.Wait()
}

const refreshing = "YAN_TEST_REFRESH" // environment of a child process: its task, the folder, the account's keys

// TestRefreshingProcess is the child process of the next tests.
func TestRefreshingProcess(t *testing.T) {
	what, rest, _ := strings.Cut(os.Getenv(refreshing), "|")
	dir, keys, ok := strings.Cut(rest, "|")
	if !ok {
		t.Skip("it is for the other tests")
	}
	source, err := credentials.New[account.Account](sealedVault(dir)).Tokens(t.Context(), one(t, keys))
	if err != nil {
		t.Fatal(err)
	}
	if what == "hold" {
		if _, err := source.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("holding")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the process is killed
		return
	}
	token, err := source.Access(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("token", token)
}

func child(t *testing.T, what, dir, keys string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRefreshingProcess$")
	c.Env = append(os.Environ(), refreshing+"="+what+"|"+dir+"|"+keys)
	return c
}

// Five processes with an expired token each get a valid one from one refresh. A sixth process
// held the lock and was killed.
func TestProcessesRefreshOnce(t *testing.T) {
	t.Parallel()
	issuer, keys, expired := strict(t)
	dir := newSealed(t)
	if _, err := credentials.New[account.Account](sealedVault(dir)).KeepToken(t.Context(), one(t, keys), expired); err != nil {
		t.Fatal(err)
	}
	killed := child(t, "hold", dir, keys)
	in, err := killed.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "holding" {
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // the error only says that it was killed
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			printed, err := child(t, "access", dir, keys).CombinedOutput()
			_, token, _ := strings.Cut(string(printed), "token ")
			token, _, _ = strings.Cut(token, "\n")
			if _, ok := issuer.Valid(token); err != nil || !ok {
				t.Errorf("valid %v, %v: %s", ok, err, printed)
			}
		})
	}
	all.Wait()
	if n := issuer.Calls().Refresh; n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

// A running program does not restore a login that the user replaced or removed.
func TestRefreshKeepsOutOfTheWayOfTheUser(t *testing.T) {
	t.Parallel()
	for place, vault := range tokenStores(t) {
		t.Run(string(place), func(t *testing.T) {
			t.Parallel()
			issuer, keys, expired := strict(t)
			a, v := one(t, keys), vault()
			mine, users := credentials.New[account.Account](v), credentials.New[account.Account](v)
			if _, err := users.KeepToken(t.Context(), a, expired); err != nil {
				t.Fatal(err)
			}
			source, err := mine.Tokens(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			again := issuer.Grant("me@example.org")
			if _, err := users.KeepToken(t.Context(), a, oauth.Token{Access: again.Access, Refresh: again.Refresh, Expiry: again.Expiry}); err != nil {
				t.Fatal(err)
			}
			if got, err := source.Access(t.Context(), ""); got != again.Access || err != nil || issuer.Calls().Refresh != 0 {
				t.Errorf("after a new login: the new token %v, %v, %d refreshes", got == again.Access, err, issuer.Calls().Refresh)
			}
			if err := users.ForgetToken(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			if _, err := source.Access(t.Context(), again.Access); !errors.Is(err, oauth.ErrConsent) || !errors.Is(err, oauth.ErrForgotten) || issuer.Calls().Refresh != 0 {
				t.Errorf("after it was removed: %v, %d refreshes", err, issuer.Calls().Refresh)
			}
			var none *secret.Error
			if _, err := users.Tokens(t.Context(), a); !errors.As(err, &none) || none.Problem != secret.NotFound {
				t.Errorf("it is kept again: %v", err)
			}
		})
	}
}

// A command that prints tokens runs once at a time per account.
func TestTokenCommandRunsAlone(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the command is one of a shell")
	}
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	a := one(t, fmt.Sprintf("from = \"me@example.org\"\nserver = \"smtps://127.0.0.1\"\nauth = \"xoauth2\"\nsecret = { command = %q }\n",
		"mkdir "+inside+" || exit 9; echo token; rmdir "+inside))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			o, err := a.Options(t.Context(), credentials.New[account.Account](&secret.Vault{File: filepath.Join(dir, "secrets.age")}))
			if err != nil {
				t.Error(err)
				return
			}
			if token, err := o.FreshToken(t.Context(), ""); token != "token" || err != nil {
				t.Errorf("got %q, %v", token, err)
			}
		})
	}
	all.Wait()
}

// Secrets stored through this package, as with the zero Secrets, use the full work factor.
func TestSecretsAreKeptAtFullCost(t *testing.T) {
	t.Parallel()
	dir := newSealed(t)
	v := credentials.SystemVault(func(name string) string {
		return map[string]string{"YAN_CONFIG": filepath.Join(dir, "config.toml"), "YAN_PASSPHRASE_FILE": filepath.Join(dir, "passphrase")}[name]
	}, filepath.Join(dir, "config.toml"))
	v.Keyring = nil // do not touch the machine's keyring
	a := one(t, "from = \"me@example.org\"\nserver = \"smtps://127.0.0.1\"\n")
	if _, err := credentials.New[account.Account](v).KeepPassword(t.Context(), a, "geheim"); err != nil {
		t.Fatal(err)
	}
	if got := secrettest.FileWork(t, filepath.Join(dir, "secrets.age")); got != secret.FullWork {
		t.Errorf("N is 2^%d, want 2^%d", got, secret.FullWork)
	}
}
