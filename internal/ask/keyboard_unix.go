//go:build unix

package ask

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// keyboard is a terminal for the time of one form. The reader that Bubble Tea makes
// of a file closes what its own goroutine still waits with, which then may
// swallow what is typed for the next question; this one has left the terminal when
// leave returns, and has read nothing that it did not hand over. It has no Name so
// that Bubble Tea takes it for a terminal and leaves the reading to it.
type keyboard struct {
	terminal *os.File
	wake     *os.File // can be read when the form is over
	reading  sync.Mutex
}

// openKeyboard gives what a form reads; leave has to be called when it is over.
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
		_ = over.Close() // the other end can be read then
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
		// Not poll, which macOS does not have for terminals.
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
