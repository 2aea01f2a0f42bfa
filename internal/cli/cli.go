// Package cli is the command yan: it reads flags, environment and input,
// calls the packages below, and is the only place that prints for people.
//
// [Run] is the whole program; everything it touches outside is in [World], so
// that tests run it in the same way as a shell does. There is one file per
// command. What they share: root.go the command tree, flag.go the flags and
// their variables, page.go with help.go and man.go the help, problem.go what
// is wrong with input, exit.go the exit status, server.go where to send. Of
// send itself input.go composes a message, raw.go finds and checks whole ones,
// resume.go asks the log about them, feed.go hands them to the sender, and
// delivery.go tells what became of each; sendaccount.go is the account that it
// goes out from, fallback.go the one that takes over, sentcopy.go the copy in the
// Sent folder.
//
// Commands of several files share a prefix: login*.go sets an account up (who,
// where, the secret, the check, what to correct, what is kept), account*.go shows
// and changes what is set up, doctor*.go prints what package doctor finds, queue*.go
// is the outbox (queuesend.go puts messages in, queuerun.go sends them, the others
// look and change), and pasted*.go reads what explain is given. accounts.go, badsecret.go and
// accounttry.go are what they have in common: the configuration, the words for a
// secret that can't be had, one login to try an account.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
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

// World is everything outside that the program touches.
type World struct {
	System
	// Keyring is the system's store of secrets; nil where there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full
	// one. Tests alone lower it.
	WorkFactor int
	// OpenBrowser shows a page to the user; nil where there is no browser.
	OpenBrowser func(url string) error
	// Dial opens the connections of yan doctor; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Hangups are the SIGHUPs of yan serve, until the function is called; nil where
	// there are none.
	Hangups func() (<-chan os.Signal, func())
	// OpenOutbox opens an outbox; nil means stores.Open.
	OpenOutbox func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
}

// app is one run of the program.
type app struct {
	System
	keyring     secret.Keyring
	workFactor  int
	openBrowser func(url string) error
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	signals     func() (<-chan os.Signal, func())
	openStore   func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
	words.Words
	color bool
	// ctx ends with Ctrl-C, and with it the reading of files that were named.
	ctx context.Context
	// keyboard and screen are the terminal itself, for forms.
	keyboard io.Reader
	screen   io.Writer
	// origin is the variable that gave a flag its value, by the flag's name.
	origin map[string]string
	// args is the command line.
	args []string
	// lists has what a command adds to its page.
	lists map[*cobra.Command]func() []list
	// command is the path of the command that runs, for "see its --help".
	command string
	// writeErr is the first failure of standard output.
	writeErr error
	// settled is set when the exit status says what became of a message, which
	// no failure to print about it may change.
	settled bool
	// toldProxy: it was said that a proxy of the environment is not used.
	toldProxy *sync.Once
}

// Run carries out a command line (without the program's name) and returns the
// exit status. It prints what went wrong itself.
func Run(ctx context.Context, args []string, world World) int {
	a := &app{System: world.System, keyring: world.Keyring, workFactor: world.WorkFactor, openBrowser: world.OpenBrowser, dial: world.Dial, signals: world.Hangups, openStore: world.OpenOutbox,
		origin: map[string]string{}, lists: map[*cobra.Command]func() []list{}, toldProxy: new(sync.Once), command: "yan", keyboard: world.Stdin, screen: world.Stderr}
	a.Words = words.In(chooseLanguage(args, world.System))
	a.color = !world.NoColor && world.Getenv("NO_COLOR") == "" && world.Getenv("TERM") != "dumb"
	a.ctx, a.Stdin = ctx, wholefile.Reader(ctx, world.Stdin)
	// The conversation and the progress are told by other goroutines.
	var mu sync.Mutex
	a.Stdout = &watchedWriter{mu: &mu, w: world.Stdout, err: &a.writeErr}
	a.Stderr = &watchedWriter{mu: &mu, w: world.Stderr, err: new(error)} // nobody can be told
	root := a.root()
	a.args = args
	root.SetArgs(args)
	return a.finish(root.ExecuteContext(ctx))
}

// finish explains an error and gives its exit status.
func (a *app) finish(err error) int {
	if err == nil {
		if a.writeErr == nil {
			return exitOK
		}
		err = fail(exitIO, sentence.Errorf("%s: %w", a.T("the output can't be written"), a.writeErr), "")
		if errors.Is(a.writeErr, syscall.EPIPE) { // as of "yan providers | head": the reader had enough
			err = &failure{code: exitIO, err: a.writeErr, told: true}
		}
		if a.settled {
			a.explain(fail(exitOK, sentence.Errorf("%s: %w", a.T("the message was sent, but the output can't be written"), a.writeErr), ""))
			return exitOK
		}
	}
	var failed *failure
	if !errors.As(err, &failed) {
		failed = a.usage(err)
	}
	a.explain(failed)
	return failed.code
}

// hushed keeps what is typed off the screen until the function that it returns is
// called. That has to begin before the question is shown.
func (a *app) hushed() func() {
	if a.Hush == nil {
		return func() {}
	}
	return a.Hush()
}

// outf and errf print. A failure of standard output is kept for the end, one
// of standard error can't be told to anybody.
func (a *app) outf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stdout, format, args...) }
func (a *app) errf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stderr, format, args...) }

// hint says on standard error what might be better. Programs do not need it:
// it is only for people at a terminal.
func (a *app) hint(s string) {
	if a.StderrWidth > 0 {
		a.errf("%s\n", a.paint(a.StderrWidth, dim, hang(s, "", a.StderrWidth)))
	}
}

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

// atMost refuses further arguments in the user's language.
func (a *app) atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			if hint := a.dashHint(args[n]); hint != "" {
				return fail(exitUsage, errors.New(a.T("%q is one argument too many", args[n])), hint)
			}
			return a.usagef("%q is one argument too many", args[n])
		}
		return nil
	}
}
