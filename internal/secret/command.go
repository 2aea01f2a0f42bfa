package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/term"
)

// lingering is how long what a command leaves behind may hold its output, and
// how long the command itself may take to end when it is told to.
const lingering = time.Second

// How long a command may take: with a terminal somebody may have to find a passphrase.
const (
	commandTime         = time.Minute
	commandTimeTerminal = 5 * time.Minute
)

// tooLongError is why a command was ended.
type tooLongError struct{ waited time.Duration }

func (e tooLongError) Error() string { return fmt.Sprintf("no end within %v", e.waited) }

// fromCommand gives the first line that a command prints. One that does not end within
// a minute, or five with a terminal, is ended.
func (v *Vault) fromCommand(ctx context.Context, line string) (string, error) {
	if strings.TrimSpace(line) == "" {
		return "", &Error{Problem: CommandFailed, Err: errors.New("no command is given")}
	}
	limit := commandTime
	if term.IsTerminal(int(os.Stdin.Fd())) {
		limit = commandTimeTerminal
	}
	if v.waits > 0 {
		limit = v.waits
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, tooLongError{limit})
	defer cancel()
	c := newCommand(ctx, line)
	// What is not a terminal is not asked: it may be the message.
	input := term.IsTerminal(int(os.Stdin.Fd()))
	if input {
		c.Stdin = os.Stdin
		if before, err := term.GetState(int(os.Stdin.Fd())); err == nil {
			defer func() {
				if ctx.Err() != nil { // what was killed may have switched the echo off
					_ = term.Restore(int(os.Stdin.Fd()), before) // nothing better is left to do
				}
			}()
		}
	}
	together(c, input)
	printed, said := beginning{most: mostOctets, refuse: true}, beginning{most: 4 << 10}
	c.Stdout = &printed
	c.Stderr = v.commandErrors(&said)
	err := c.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well, and left something behind: an agent perhaps
	}
	if err != nil {
		return "", commandError(ctx, input, failure(ctx, err, &printed, &said))
	}
	first, _, _ := strings.Cut(decode(printed.data), "\n")
	return Trim(first), textual("", first)
}

// commandError is what is wrong with a command that failed or was ended.
func commandError(ctx context.Context, terminal bool, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Problem: CommandFailed, Err: err}
	}
	if !terminal {
		err = fmt.Errorf("%w; %w", err, ErrNoTerminal)
	}
	return &Error{Problem: Stuck, Err: err}
}

// commandErrors is where a command's standard error goes: to that of the
// program. A terminal is handed on as it is, since a command that asks may look
// whether it has one; its user reads there what the command says. Else it is
// also remembered.
func (v *Vault) commandErrors(said *beginning) io.Writer {
	if v.stderr != nil {
		return io.MultiWriter(v.stderr, said)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return os.Stderr
	}
	return io.MultiWriter(os.Stderr, said)
}

// failure is why a command failed and the first line that it said about it,
// unless this is something that it also printed: that may be the secret.
func failure(ctx context.Context, err error, printed, said *beginning) error {
	if ctx.Err() != nil {
		err = ended(ctx)
	}
	if printed.refused {
		return fmt.Errorf("it printed more than %d octets", mostOctets)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(decode(said.data)), "\n")
	text = strings.ToValidUTF8(Trim(text), "�")
	for line := range strings.Lines(decode(printed.data)) {
		if line = Trim(line); line != "" && strings.Contains(text, line) {
			text = ""
		}
	}
	if text == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, text)
}

// beginning keeps the first octets of what is written to it. What is more is
// passed over or, with refuse, an error.
type beginning struct {
	most    int
	refuse  bool
	data    []byte
	refused bool
}

func (b *beginning) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.most-len(b.data))]
	b.data = append(b.data, keep...)
	if b.refuse && len(keep) < len(p) {
		b.refused = true
		return len(keep), io.ErrShortWrite
	}
	return len(p), nil
}

// Format keeps what was printed out of every text.
func (b *beginning) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d octets", len(b.data)) }
