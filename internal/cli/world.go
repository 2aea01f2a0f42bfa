package cli

import (
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
	return World{System: thisSystem(), Keyring: secret.System(), OpenBrowser: browser(os.Getenv), Hangups: hangups}
}

// thisSystem is that of this process.
func thisSystem() System {
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
