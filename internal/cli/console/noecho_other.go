//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package console

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"
)

// hush is for terminals that show what is typed when it is typed; a console shows
// it when it is read.
func hush() func() { return func() {} }

// readSecret reads a line that the terminal does not show. When ctx ends
// first (Ctrl-C), the terminal shows again what is typed.
func readSecret(ctx context.Context) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("asking the terminal for its state: %w", err)
	}
	type line struct {
		secret []byte
		err    error
	}
	read := make(chan line, 1)
	go func() {
		secret, err := term.ReadPassword(fd)
		read <- line{secret, err}
	}()
	select {
	case got := <-read:
		return string(got.secret), got.err
	case <-ctx.Done():
		_ = term.Restore(fd, before) // nothing better is left to do
		return "", context.Cause(ctx)
	}
}
