//go:build unix

package prompt

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// keyboard is a terminal that a form reads. The reader that Bubble Tea creates for a file closes a
// descriptor on which its own goroutine still waits, and may then swallow input for the next
// question. This reader has stopped reading when leave returns, and has passed on all that it read.
// It has no Name method, so that Bubble Tea treats it as a terminal and leaves the reading to it.
type keyboard struct {
	terminal *os.File
	wake     *os.File // readable when the form is over
	reading  sync.Mutex
}

// openKeyboard returns the reader for a form. The caller calls leave when the form is over.
func openKeyboard(in io.Reader) (r io.Reader, leave func(), err error) {
	terminal, ok := in.(*os.File)
	if !ok {
		return in, func() {}, nil
	}
	wake, over, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	if max(terminal.Fd(), wake.Fd()) >= unix.FD_SETSIZE {
		_, _ = wake.Close(), over.Close() // nothing was written to it
		return nil, nil, errors.New("too many files are open")
	}
	k := &keyboard{terminal: terminal, wake: wake}
	return k, func() {
		_ = over.Close() // makes the other end readable
		k.reading.Lock()
		defer k.reading.Unlock()
		_ = k.wake.Close()
		k.wake = nil
	}, nil
}

func (k *keyboard) Read(p []byte) (int, error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	for k.wake != nil {
		var ready unix.FdSet
		ready.Set(int(k.terminal.Fd()))
		ready.Set(int(k.wake.Fd()))
		// Not poll, which macOS does not support for terminals.
		_, err := unix.Select(int(max(k.terminal.Fd(), k.wake.Fd()))+1, &ready, nil, nil, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case ready.IsSet(int(k.wake.Fd())):
			return 0, io.EOF
		default:
			return k.terminal.Read(p)
		}
	}
	return 0, io.EOF
}

func (k *keyboard) Write(p []byte) (int, error) { return k.terminal.Write(p) }
func (k *keyboard) Fd() uintptr                 { return k.terminal.Fd() }

// Close leaves the terminal open: it belongs to the program.
func (k *keyboard) Close() error { return nil }
