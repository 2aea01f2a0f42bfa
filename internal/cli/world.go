package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/secret"
)

// ThisWorld returns the machine that the program runs on.
func ThisWorld() World {
	return World{System: console.ThisSystem(), Keyring: secret.System(), FindBrowser: console.FindBrowser, Hangups: hangups}
}

// hangups returns the SIGHUPs of this process, which would end it otherwise. A second SIGHUP before
// the first is read adds nothing.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
