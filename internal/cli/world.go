package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/words"
)

// ThisWorld is the machine the program runs on.
func ThisWorld() World {
	w := World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		StdinTTY: width(os.Stdin), StdoutWidth: width(os.Stdout), StderrWidth: width(os.Stderr),
		SystemLanguage: words.System, Windows: runtime.GOOS == "windows", Now: time.Now, After: time.After,
		Keyring: secret.System(), OpenBrowser: browser(os.Getenv), Hangups: hangups,
	}
	if !w.Windows {
		w.Etc = "/etc"
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width(f) > 0 && !understandsColor(f) {
			w.NoColor = true
		}
	}
	if w.StdinTTY > 0 && w.StderrWidth > 0 {
		w.ReadSecret, w.Hush = readSecret, hush
	}
	return w
}

// hangups takes the SIGHUPs of this process, which would end it otherwise. One that
// comes while another waits to be read says nothing new.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// width is the number of columns of a terminal, 0 for anything else.
func width(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// interruptible makes a reader whose Read ends with ctx, so that Ctrl-C ends a
// program that waits for input. A regular file never waits, and is left what
// it is: it can be read twice.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return r
		}
	}
	return &interruptibleReader{ctx: ctx, r: r}
}

// interruptibleReader reads in a goroutine of its own, which is left behind
// when the program ends before its input.
type interruptibleReader struct {
	ctx     context.Context
	r       io.Reader
	rest    []byte
	restErr error
}

type chunk struct {
	data []byte
	err  error
}

func (i *interruptibleReader) Read(p []byte) (int, error) {
	if len(i.rest) == 0 && i.restErr == nil {
		got := make(chan chunk, 1)
		go func() {
			buf := make([]byte, 32<<10)
			n, err := i.r.Read(buf)
			got <- chunk{buf[:n], err}
		}()
		select {
		case c := <-got:
			i.rest, i.restErr = c.data, c.err
		case <-i.ctx.Done():
			return 0, context.Cause(i.ctx)
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	if len(i.rest) > 0 {
		return n, nil
	}
	err := i.restErr
	if err != io.EOF {
		i.restErr = nil
	}
	return n, err
}
