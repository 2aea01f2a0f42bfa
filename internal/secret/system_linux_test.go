package secret_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

// A program that needs no secret from the keyring connects to nothing.
func TestNothingIsConnectedBeforeASecretIsWanted(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan struct{}, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			called <- struct{}{}
			_ = c.Close() // as a bus that ends
		}
	}()
	defer listener.Close()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+socket)
	t.Setenv("CODE", "geheim")
	v := &secret.Vault{Keyring: secret.System()}
	if got, err := v.Get(t.Context(), secret.Source{Kind: secret.Env, Value: "CODE"}, password); err != nil || got != "geheim" {
		t.Errorf("%q, %v", got, err)
	}
	if len(called) > 0 {
		t.Error("the bus was connected to before Get")
	}
	got, err := v.Get(t.Context(), kept, password)
	isProblem(t, got, err, secret.NotFound)
	if len(called) == 0 {
		t.Error("the bus was not connected to by Get")
	}
}

// godbus would start a D-Bus that outlives the program.
func TestNoBusIsStarted(t *testing.T) {
	for _, name := range []string{"bus", "dbus-session"} {
		if pathExists(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)) {
			t.Skip("this user has a session bus that is found without a variable")
		}
	}
	folder := t.TempDir()
	trace := filepath.Join(folder, "started")
	write(t, filepath.Join(folder, "dbus-launch"), "#!/bin/sh\n: >'"+trace+"'\n", 0o755)
	t.Setenv("PATH", folder)
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		_, err := secret.System().Get("yan", "qq/password")
		if !errors.Is(err, secret.ErrNoKeyring) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if pathExists(trace) {
		t.Error("a D-Bus was started")
	}
}
