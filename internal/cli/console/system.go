package console

import (
	"context"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/term"

	"github.com/yanmail/yan/internal/words"
)

// System is what the program sees of the machine it runs on.
type System struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Width of the terminal behind each stream; 0 where there is none.
	StdinTTY, StdoutWidth, StderrWidth int
	// ReadSecret reads a line from the terminal without showing it; nil where
	// there is no terminal.
	ReadSecret func(context.Context) (string, error)
	// Hush keeps the terminal from showing what is typed until the function that it
	// returns is called; nil where there is no terminal.
	Hush func() func()
	// SystemLanguage is that of the desktop, where the environment has none.
	SystemLanguage func() string
	// Etc is the folder of the system's settings; "" where there is none.
	Etc string
	// Windows decides how a command line is written in an example.
	Windows bool
	// NoColor is set where the terminal does not understand colours.
	NoColor bool
	// Now is the clock of progress, rates and logs.
	Now func() time.Time
	// After is the timer that bounds how long messages on the wire are waited
	// for after Ctrl-C, and that of the outbox.
	After func(time.Duration) <-chan time.Time
}

// ThisSystem is that of this process.
func ThisSystem() System {
	w := System{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		StdinTTY: width(os.Stdin), StdoutWidth: width(os.Stdout), StderrWidth: width(os.Stderr),
		SystemLanguage: words.System, Windows: runtime.GOOS == "windows", Now: time.Now, After: time.After,
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
