//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// disableEcho switches the echo off until the function that it returns is called. It
// comes before the question for a secret, so that characters typed early are
// not shown.
func disableEcho() func() {
	restore, err := setNoEcho()
	if err != nil {
		return func() {}
	}
	return restore
}

// setNoEcho makes the terminal read lines without echo.
func setNoEcho() (restore func(), err error) {
	fd := int(os.Stdin.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, fmt.Errorf("asking the terminal for its state: %w", err)
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, fmt.Errorf("keeping the terminal from showing what is typed: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }, nil // it was possible before
}

// readSecret reads a line without echo. If ctx ends first (Ctrl-C), the echo is
// restored: the reading goroutine goes on, but consumes only the line.
// term.ReadPassword is not used, because it would restore the terminal later by
// itself.
func readSecret(ctx context.Context) (string, error) {
	restore, err := setNoEcho()
	if err != nil {
		return "", err
	}
	defer restore()
	read := make(chan secretLine, 1)
	go func() { read <- readSecretLine(os.Stdin) }()
	select {
	case got := <-read:
		return got.text, got.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

type secretLine struct {
	text string
	err  error
}

// maxSecretLine is more than a terminal returns as one line, in octets.
const maxSecretLine = 64 << 10

// readSecretLine reads one octet at a time, so that the next line is left for
// the next reader.
func readSecretLine(r io.Reader) secretLine {
	var line []byte
	one := make([]byte, 1)
	for len(line) < maxSecretLine {
		n, err := r.Read(one)
		switch {
		case n > 0 && one[0] == '\n':
			return secretLine{text: string(line)}
		case n > 0:
			line = append(line, one[0])
		case errors.Is(err, io.EOF) && len(line) > 0: // Ctrl-D after the line
			return secretLine{text: string(line)}
		case err != nil:
			return secretLine{err: err}
		}
	}
	return secretLine{err: errors.New("the line is too long")}
}
