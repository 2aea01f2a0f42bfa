//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package console

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"
)

// disableEcho does nothing: a Windows console echoes input when it is read, not when
// it is typed.
func disableEcho() func() { return func() {} }

// readSecret reads a line without echo. If ctx ends first (Ctrl-C), the echo is
// restored.
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
		_ = term.Restore(fd, before) // on failure nothing better can be done
		return "", context.Cause(ctx)
	}
}
