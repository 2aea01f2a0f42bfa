//go:build interop && linux

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// fetchKeyring fetches GNOME Keyring, or skips the test with the reason; with
// CI=true that is a failure.
func fetchKeyring(t *testing.T) (root string) {
	t.Helper()
	return fetchOrSkip(t, "GNOME Keyring", "keyring.sh", "fetch", filepath.Join("..", ".cache", "keyring"))
}

// desktop is the session of a user: a D-Bus and, in it, GNOME Keyring.
type desktop struct {
	root, dir string
	command   *exec.Cmd
	end       func() error // closes its input
	log       string
}

// The state of the keyring in a session.
const (
	unlocked = "gnome-keyring-daemon --foreground --unlock --components=secrets <$dir/password"
	locked   = "gnome-keyring-daemon --foreground --start --components=secrets </dev/null"
	onDemand = "sleep 600" // D-Bus starts it
)

// sessionScript runs in dbus-run-session until its input ends: when stop closes
// it, or the test program dies.
const sessionScript = `dir=$1
exec 3<&0
sh -c "exec $2" 3<&- & server=$!
printf %s "$DBUS_SESSION_BUS_ADDRESS" >$dir/address.new && mv $dir/address.new $dir/address
cat <&3 >/dev/null
kill $server
wait $server`

// bareBus is the configuration of a session where D-Bus starts nothing.
const bareBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
`

// newDesktop creates a user's home directory, for several sessions.
func newDesktop(t *testing.T) *desktop {
	t.Helper()
	d := &desktop{root: fetchKeyring(t), dir: t.TempDir()}
	for name, text := range map[string]string{"password": "the password of the login", "bare.conf": bareBus} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"home", "run"} {
		if err := os.Mkdir(filepath.Join(d.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// start starts a session and makes it that of this process.
func (d *desktop) start(t *testing.T, keyring string, options ...string) {
	t.Helper()
	argv := slices.Concat([]string{"dbus-run-session"}, options, []string{"--", "/bin/sh", "-c", sessionScript, "session", d.dir,
		strings.ReplaceAll(keyring, "$dir", d.dir)})
	if d.root != "/" {
		argv = append([]string{"unshare", "--mount", "--", "/bin/sh", "-c", overlay, d.root}, argv...)
	}
	address := filepath.Join(d.dir, "address")
	if err := os.RemoveAll(address); err != nil {
		t.Fatal(err)
	}
	log, err := os.CreateTemp(d.dir, "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the child has its own copy
	d.log = log.Name()
	d.command = exec.Command(argv[0], argv[1:]...)
	d.command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(d.dir, "home"), "XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run")}
	d.command.Stdout, d.command.Stderr = log, log
	input, err := d.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.end = input.Close
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		text, err := os.ReadFile(address)
		if err != nil {
			return false, fmt.Errorf("%w: %w", errNotYet, err)
		}
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", string(text))
		return true, nil
	}); err != nil {
		d.fatal(t, err)
	}
	if keyring == onDemand {
		return
	}
	if err := poll(ctx, func() (bool, error) { return d.isReady(keyring == locked) }); err != nil {
		d.fatal(t, err)
	}
}

// isReady reports whether the keyring is running and in the intended state. The
// query does not start one.
func (d *desktop) isReady(locked bool) (bool, error) {
	bus, err := dbus.ConnectSessionBus()
	if err != nil {
		return false, err
	}
	defer bus.Close()
	var owned bool
	if err := bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned); err != nil {
		return false, err
	}
	if !owned {
		return false, fmt.Errorf("the keyring: %w", errNotYet)
	}
	is, err := bus.Object("org.freedesktop.secrets", "/org/freedesktop/secrets/collection/login").GetProperty("org.freedesktop.Secret.Collection.Locked")
	if err != nil || is.Value() != locked {
		return false, fmt.Errorf("%w: locked is %v, %v", errNotYet, is, err)
	}
	return true, nil
}

// stop ends the session, and everything that was started in it.
func (d *desktop) stop(t *testing.T) {
	t.Helper()
	if d.command == nil {
		return
	}
	bus, busErr := dbus.SessionBus() // shared with the keyring
	_ = d.end()                      // already closed if the session has ended
	done := make(chan error, 1)
	go func(c *exec.Cmd) { done <- c.Wait() }(d.command)
	d.command = nil
	select {
	case <-done: // ended by a signal, as usual
	case <-time.After(20 * time.Second):
		t.Error("the session did not end")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		if busErr == nil && bus.Connected() {
			return false, fmt.Errorf("the bus: %w", errNotYet)
		}
		left, err := processesUnder(d.dir)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%v: %w", left, errNotYet)
		}
		return err == nil, err
	}); err != nil {
		t.Errorf("processes of the session are left: %v", err)
	}
}

func (d *desktop) fatal(t *testing.T, err error) {
	t.Helper()
	log, _ := os.ReadFile(d.log)
	t.Fatalf("%v\n%s", err, log)
}

// vault returns the vault of a program in the session.
func (d *desktop) vault() *secret.Vault {
	return &secret.Vault{Keyring: secret.System(), File: filepath.Join(d.dir, "home", ".config", "yan", "secrets.age"),
		Getenv:     func(string) string { return "" },
		Passphrase: func(context.Context, bool) (string, error) { return "correct horse", nil }}
}

func problem(err error) secret.Problem {
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return e.Problem
	}
	return ""
}

// A secret in GNOME Keyring survives its restart, and a keyring that can't be
// unlocked is reported at once.
func TestKeyring(t *testing.T) {
	d := newDesktop(t)
	key, token := secret.Key{Account: "qq", Item: "password"}, secret.Key{Account: "gmail", Item: "oauth2"}
	long := strings.Repeat("a token of eight thousand octets", 250)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	get := func(key secret.Key, want string, wantProblem secret.Problem) {
		t.Helper()
		start := time.Now()
		got, err := d.vault().Get(ctx, secret.Source{}, key)
		if got != want || problem(err) != wantProblem {
			d.fatal(t, fmt.Errorf("Get: %.40q, %w; want %.40q, %q", got, err, want, wantProblem))
		}
		if waited := time.Since(start); waited > 20*time.Second {
			t.Errorf("Get took %v", waited)
		}
	}

	d.start(t, unlocked)
	secrettest.Conform(t, secret.System())
	get(key, "", secret.NotFound)
	for key, s := range map[secret.Key]string{key: "geheim 授权码", token: long} {
		if place, err := d.vault().Set(ctx, key, s); err != nil || place != secret.InKeyring {
			d.fatal(t, fmt.Errorf("Set: %q, %w", place, err))
		}
	}
	get(key, "geheim 授权码", "")
	get(token, long, "")
	d.stop(t)
	stored, err := os.ReadFile(filepath.Join(d.dir, "home", ".local", "share", "keyrings", "login.keyring"))
	if err != nil || len(stored) < len(long) || bytes.Contains(stored, []byte("geheim")) {
		t.Errorf("the keyring on the disk has %d octets, %v; or it is not encrypted", len(stored), err)
	}

	d.start(t, locked)
	get(key, "", secret.Locked)
	place, err := d.vault().Set(ctx, key, "another")
	if place != "" || problem(err) != secret.Locked {
		t.Errorf("Set: %q, %v; want it locked", place, err)
	}
	if err := d.vault().Delete(ctx, key); problem(err) != secret.Locked {
		t.Errorf("Delete: %v; want it locked", err)
	}
	d.stop(t)

	d.start(t, unlocked)
	get(key, "geheim 授权码", "")
	get(token, long, "")
	if err := d.vault().Delete(ctx, key); err != nil {
		t.Error(err)
	}
	d.stop(t)

	d.start(t, unlocked)
	get(key, "", secret.NotFound)
	get(token, long, "")
	d.stop(t)
	if _, err := os.Stat(d.vault().File); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an encrypted file was created: %v", err)
	}
}

// A GNOME Keyring that was never set up can't store secrets.
func TestKeyringNeverSetUp(t *testing.T) {
	d := newDesktop(t)
	d.start(t, onDemand)
	keepInFile(t, d)
}

// A session without any Secret Service, then one whose dialog the user ignores.
func TestKeyringAbsentOrWaiting(t *testing.T) {
	d := newDesktop(t)
	d.start(t, onDemand, "--config-file="+filepath.Join(d.dir, "bare.conf"))
	keepInFile(t, d)

	w := startWaitingService(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-w.prompted
		cancel() // as Ctrl-C does
	}()
	key := secret.Key{Account: "other", Item: "password"}
	_, err := d.vault().Set(ctx, key, "geheim")
	if problem(err) != secret.Locked || !errors.Is(err, context.Canceled) {
		t.Errorf("Set: %v; want it locked", err)
	}
	select {
	case <-w.prompted:
	default:
		t.Error("the keyring did not prompt for its password")
	}
}

// keepInFile stores a secret and finds it in the encrypted file.
func keepInFile(t *testing.T, d *desktop) {
	t.Helper()
	key := secret.Key{Account: "qq", Item: "password"}
	if got, err := d.vault().Get(t.Context(), secret.Source{}, key); problem(err) != secret.NotFound {
		t.Fatalf("Get: %q, %v", got, err)
	}
	if place, err := d.vault().Set(t.Context(), key, "geheim"); err != nil || place != secret.InFile {
		d.fatal(t, fmt.Errorf("Set: %q, %w", place, err))
	}
	if got, err := d.vault().Get(t.Context(), secret.Source{}, key); err != nil || got != "geheim" {
		t.Errorf("Get: %q, %v", got, err)
	}
}

// waitingService is a Secret Service with a locked collection and a dialog that
// stays open.
type waitingService struct{ prompted chan struct{} }

func startWaitingService(t *testing.T) *waitingService {
	t.Helper()
	w := &waitingService{make(chan struct{})}
	bus, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() }) // the session may be gone already
	const login, prompt = "/org/freedesktop/secrets/collection/login", "/org/freedesktop/secrets/prompt/1"
	for _, export := range []struct {
		path    dbus.ObjectPath
		face    string
		methods map[string]any
	}{
		{"/org/freedesktop/secrets", "org.freedesktop.DBus.Properties", map[string]any{"Get": func(_, _ string) (dbus.Variant, *dbus.Error) {
			return dbus.MakeVariant([]dbus.ObjectPath{login}), nil
		}}},
		{login, "org.freedesktop.DBus.Properties", map[string]any{"Get": func(_, _ string) (dbus.Variant, *dbus.Error) {
			return dbus.MakeVariant(true), nil
		}}},
		{"/org/freedesktop/secrets", "org.freedesktop.Secret.Service", map[string]any{
			"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
				return dbus.MakeVariant(""), "/org/freedesktop/secrets/session/1", nil
			},
			"Unlock": func([]dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) { return nil, prompt, nil },
		}},
		{prompt, "org.freedesktop.Secret.Prompt", map[string]any{"Prompt": func(string) *dbus.Error {
			close(w.prompted)
			return nil
		}}},
	} {
		if err := bus.ExportMethodTable(export.methods, export.path, export.face); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := bus.RequestName("org.freedesktop.secrets", 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return w
}
