// Package cli is the command yan: it reads flags, environment and input,
// calls the packages below, and is the only place that prints for people.
//
// [Run] is the whole program; everything it touches outside is in [World], so
// that tests run it in the same way as a shell does. There is one file per
// command; root.go holds what they share, exit.go the exit status, server.go
// the flags that say where to send.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/yanmail/yan/internal/words"
)

// World is what the program sees of the machine.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Width of the terminal behind each stream; 0 where there is none.
	StdinTTY, StdoutWidth, StderrWidth int
	// ReadSecret reads a line from the terminal without showing it; nil where
	// there is no terminal.
	ReadSecret func() (string, error)
	// SystemLanguage is that of the desktop, where the environment has none.
	SystemLanguage func() string
}

// ThisWorld is the machine the program runs on.
func ThisWorld() World {
	w := World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		StdinTTY: width(os.Stdin), StdoutWidth: width(os.Stdout), StderrWidth: width(os.Stderr),
		SystemLanguage: words.System,
	}
	if w.StdinTTY > 0 && w.StderrWidth > 0 {
		w.ReadSecret = func() (string, error) {
			b, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(b), err
		}
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

// app is one run of the program.
type app struct {
	World
	words.Words
	color bool
}

// Run carries out a command line (without the program's name) and returns the
// exit status. It prints what went wrong itself.
func Run(ctx context.Context, args []string, world World) int {
	a := &app{World: world}
	a.Words = words.In(a.language(args))
	a.color = world.Getenv("NO_COLOR") == "" && world.Getenv("TERM") != "dumb"
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var failed *failure
	if !errors.As(err, &failed) {
		failed = a.usage(err)
	}
	a.explain(failed)
	return failed.code
}

// language has to be known before the flags are read, because their help and
// their errors are said in it.
func (a *app) language(args []string) words.Language {
	asked := a.Getenv("YAN_LANG")
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			asked = v
		} else if arg == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	if lang, ok := words.Parse(asked); ok {
		return lang
	}
	return words.Detect(a.Getenv, a.SystemLanguage)
}

// outf and errf print; there is nobody to tell when that fails but the exit
// status of a pipe, which the system gives.
func (a *app) outf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stdout, format, args...) }
func (a *app) errf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stderr, format, args...) }

// paint colours a word where the stream is a terminal.
func (a *app) paint(width int, code, s string) string {
	if width == 0 || !a.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	green  = "32"
	red    = "31"
	yellow = "33"
	dim    = "2"
	bold   = "1"
)
