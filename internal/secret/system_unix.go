//go:build linux || netbsd || openbsd || (dragonfly && cgo) || (freebsd && cgo)

package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// System returns the Secret Service of the desktop: GNOME Keyring, KWallet, KeePassXC. It connects
// only when a method is called.
func System() Keyring { return secretService{} }

// secretService is go-keyring with a check whether a Secret Service is available.
type secretService struct{}

func (s secretService) Get(service, user string) (secret string, err error) {
	err = s.ask(func() error {
		secret, err = goKeyring{}.Get(service, user)
		return err
	})
	return secret, err
}

func (s secretService) Set(service, user, secret string) error {
	return s.ask(func() error { return goKeyring{}.Set(service, user, secret) })
}

func (s secretService) Delete(service, user string) error {
	return s.ask(func() error { return goKeyring{}.Delete(service, user) })
}

// ask runs a call of go-keyring, which first unlocks the keyring: that shows a dialog if there is a
// desktop.
func (secretService) ask(call func() error) (err error) {
	locked, err := checkCollection()
	if err != nil {
		return err
	}
	// go-keyring panics on answers of an unexpected type.
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the Secret Service answers what its standard does not know")
		}
	}()
	err = call()
	if locked && err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrLocked) {
		return fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return err
}

// The names of the Secret Service API, draft 0.2.
const (
	secretsName  = "org.freedesktop.secrets"
	secretsPath  = "/org/freedesktop/secrets"
	serviceFace  = "org.freedesktop.Secret.Service"
	loginPath    = "/org/freedesktop/secrets/collection/login"
	isLockedName = "org.freedesktop.Secret.Error.IsLocked"
)

// secretServiceTimeout is how long the Secret Service may take to answer a request without a dialog, including
// its start: D-Bus's own limit.
const secretServiceTimeout = 25 * time.Second

// checkCollection reports whether the collection that go-keyring uses is locked. The error is ErrNoKeyring if
// there is no such collection.
func checkCollection() (locked bool, err error) {
	if !hasBus() {
		return false, fmt.Errorf("%w: this session has no D-Bus", ErrNoKeyring)
	}
	bus, err := dbus.SessionBus() // shared with go-keyring
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNoKeyring, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), secretServiceTimeout)
	defer cancel()
	collections, err := dbusProperty[[]dbus.ObjectPath](ctx, bus, secretsPath, serviceFace, "Collections")
	if err != nil {
		return false, err
	}
	var path dbus.ObjectPath
	for _, p := range collections {
		if p == loginPath {
			path = p
		}
	}
	if path == "" {
		err := bus.Object(secretsName, secretsPath).CallWithContext(ctx, serviceFace+".ReadAlias", 0, "default").Store(&path)
		if err != nil {
			return false, fromBus(err)
		}
		if path == "/" {
			return false, fmt.Errorf("%w: the Secret Service has no default collection", ErrNoKeyring)
		}
	}
	return dbusProperty[bool](ctx, bus, path, "org.freedesktop.Secret.Collection", "Locked")
}

func dbusProperty[T any](ctx context.Context, bus *dbus.Conn, path dbus.ObjectPath, face, name string) (value T, err error) {
	var v dbus.Variant
	err = bus.Object(secretsName, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, face, name).Store(&v)
	if err != nil {
		return value, fromBus(err)
	}
	value, ok := v.Value().(T)
	if !ok {
		return value, fmt.Errorf("the Secret Service's %s is of an unknown type", name)
	}
	return value, nil
}

// hasBus reports whether there is a session bus.
//
// QUIRK: godbus looks in the same places and, if it finds no bus, starts one with dbus-launch,
// which would outlive this program.
func hasBus() bool {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return true
	}
	folder := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	return pathExists(filepath.Join(folder, "bus")) || pathExists(filepath.Join(folder, "dbus-session"))
}

// fromBus distinguishes a missing Secret Service from one that fails.
func fromBus(err error) error {
	of, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return fmt.Errorf("asking the Secret Service: %w", err)
	}
	switch {
	case of.Name == "org.freedesktop.DBus.Error.ServiceUnknown",
		of.Name == "org.freedesktop.DBus.Error.NameHasNoOwner",
		strings.HasPrefix(of.Name, "org.freedesktop.DBus.Error.Spawn."):
		return fmt.Errorf("%w: no Secret Service in this session", ErrNoKeyring)
	case of.Name == isLockedName:
		return ErrLocked
	}
	return fmt.Errorf("asking the Secret Service: %w", err)
}

// systemError recognizes a locked keyring, which go-keyring reports only in the text of its error.
func systemError(err error) error {
	if strings.HasPrefix(err.Error(), "failed to unlock correct collection") {
		return fmt.Errorf("%w: nobody unlocked it", ErrLocked)
	}
	return fromBus(err)
}
