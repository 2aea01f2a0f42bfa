package console

import (
	"context"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/term"

	"github.com/yanmail/yan/internal/i18n"
)

// System is the program's view of the machine.
type System struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Width of the terminal of each stream; 0 without a terminal.
	StdinTTY, StdoutWidth, StderrWidth int
	// ReadSecret reads a line from the terminal without echo; nil without a
	// terminal.
	ReadSecret func(context.Context) (string, error)
	// DisableEcho switches the echo off until the function that it returns is called;
	// nil without a terminal.
	DisableEcho func() func()
	// SystemLanguage returns the language of the desktop, if the environment
	// has none.
	SystemLanguage func() string
	// Etc is the directory of the system's settings; "" if there is none.
	Etc string
	// Windows selects the command line syntax in examples.
	Windows bool
	// NoColor is set if the terminal does not support colours.
	NoColor bool
	// Now is the clock of progress, rates and logs.
	Now func() time.Time
	// After is the timer for the grace period after Ctrl-C, and that of the
	// outbox.
	After func(time.Duration) <-chan time.Time
}

// ThisSystem returns the System of this process.
func ThisSystem() System {
	w := System{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		StdinTTY: terminalWidth(os.Stdin), StdoutWidth: terminalWidth(os.Stdout), StderrWidth: terminalWidth(os.Stderr),
		SystemLanguage: i18n.System, Windows: runtime.GOOS == "windows", Now: time.Now, After: time.After,
	}
	if !w.Windows {
		w.Etc = "/etc"
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if terminalWidth(f) > 0 && !understandsColor(f) {
			w.NoColor = true
		}
	}
	if w.StdinTTY > 0 && w.StderrWidth > 0 {
		w.ReadSecret, w.DisableEcho = readSecret, disableEcho
	}
	return w
}

// terminalWidth returns the number of columns of a terminal, 0 for anything else.
func terminalWidth(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}
