package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/secret"
)

// SystemEnv returns the machine that the program runs on.
func SystemEnv() Env {
	return Env{System: console.ThisSystem(), Keyring: secret.System(), FindBrowser: console.FindBrowser, Hangups: hangupSignals}
}

// hangupSignals returns the SIGHUPs of this process, which would end it otherwise. A second SIGHUP before
// the first is read adds nothing.
func hangupSignals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
