package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/secret"
)

// ThisWorld is the machine the program runs on.
func ThisWorld() World {
	return World{System: console.ThisSystem(), Keyring: secret.System(), FindBrowser: console.FindBrowser, Hangups: hangups}
}

// hangups takes the SIGHUPs of this process, which would end it otherwise. One that
// comes while another waits to be read says nothing new.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
