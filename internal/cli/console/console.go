// Package console is the command's terminal or pipe: its streams, widths and
// colours, tables, wrapped text, progress and lines of JSON. It contains
// nothing about mail.
package console

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/i18n"
)

// Console is the input and output of one run of the program, and its language.
type Console struct {
	System
	i18n.Words
	Color bool
	// Ctx ends with Ctrl-C, and so does the reading of named files.
	Ctx context.Context
	// Keyboard and Screen are the terminal itself, for forms.
	Keyboard io.Reader
	Screen   io.Writer
	// WriteErr is the first error of standard output.
	WriteErr error
	// Settled is set if the exit status is a message's result, which an output
	// error must not change.
	Settled bool
}

// New returns the console of one run. Reads from standard input end with ctx.
func New(ctx context.Context, s System, language i18n.Words) *Console {
	c := &Console{System: s, Words: language, Ctx: ctx, Keyboard: s.Stdin, Screen: s.Stderr,
		Color: !s.NoColor && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"}
	c.Stdin = atomicfile.Reader(ctx, s.Stdin)
	// The conversation and the progress are printed by other goroutines.
	var mu sync.Mutex
	c.Stdout = &watchedWriter{mu: &mu, w: s.Stdout, err: &c.WriteErr}
	c.Stderr = &watchedWriter{mu: &mu, w: s.Stderr, err: new(error)} // a failure can't be reported
	return c
}

// WithoutEcho hides typed characters until the function that it returns is called.
// It must begin before the question is shown.
func (a *Console) WithoutEcho() func() {
	if a.DisableEcho == nil {
		return func() {}
	}
	return a.DisableEcho()
}

// Outf and Errf print. An error of standard output is kept for the end; one of
// standard error can't be reported.
func (a *Console) Outf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stdout, format, args...) }

func (a *Console) Errf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stderr, format, args...) }

// Hint prints a recommendation on standard error, only on a terminal, because
// programs don't need it.
func (a *Console) Hint(s string) {
	if a.StderrWidth > 0 {
		a.Errf("%s\n", a.Paint(a.StderrWidth, Dim, WrapIndented(s, "", a.StderrWidth)))
	}
}

// watchedWriter remembers the first error. Writers with the same mu write one
// after the other.
type watchedWriter struct {
	mu  *sync.Mutex
	w   io.Writer
	err *error
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.w.Write(p)
	if err != nil && *w.err == nil {
		*w.err = err
	}
	return n, err
}
