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

// outputTimeout is how long processes left by a command may keep its output open, and how long the
// command itself may take to end after its signal.
const outputTimeout = time.Second

// How long a command may take. With a terminal the user may have to look up a passphrase.
const (
	commandTime         = time.Minute
	commandTimeTerminal = 5 * time.Minute
)

// tooLongError is the cause of ending a command.
type tooLongError struct{ waited time.Duration }

func (e tooLongError) Error() string { return fmt.Sprintf("no end within %v", e.waited) }

// fromCommand returns the first line that a command prints. A command that does not end within a
// minute, or five minutes with a terminal, is killed.
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
	// Standard input that is not a terminal is not passed on: it may be the message.
	input := term.IsTerminal(int(os.Stdin.Fd()))
	if input {
		c.Stdin = os.Stdin
		if before, err := term.GetState(int(os.Stdin.Fd())); err == nil {
			defer func() {
				if ctx.Err() != nil { // a killed command may have switched the echo off
					_ = term.Restore(int(os.Stdin.Fd()), before) // there is no better remedy
				}
			}()
		}
	}
	setKillGroup(c, input)
	printed, said := cappedBuffer{most: mostOctets, refuse: true}, cappedBuffer{most: 4 << 10}
	c.Stdout = &printed
	c.Stderr = v.commandErrors(&said)
	err := c.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // the command succeeded and left a process running, perhaps an agent
	}
	if err != nil {
		return "", commandError(ctx, input, commandFailure(ctx, err, &printed, &said))
	}
	first, _, _ := strings.Cut(decodeText(printed.data), "\n")
	return Trim(first), checkText("", first)
}

// commandError returns the Error of a command that failed or was killed.
func commandError(ctx context.Context, terminal bool, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Problem: CommandFailed, Err: err}
	}
	if !terminal {
		err = fmt.Errorf("%w; %w", err, ErrNoTerminal)
	}
	return &Error{Problem: Stuck, Err: err}
}

// commandErrors returns the writer for a command's standard error: the program's own standard
// error. If that is a terminal the command gets it directly, since it may check for a terminal
// before it asks. Otherwise the text is also kept for the error.
func (v *Vault) commandErrors(said *cappedBuffer) io.Writer {
	if v.stderr != nil {
		return io.MultiWriter(v.stderr, said)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return os.Stderr
	}
	return io.MultiWriter(os.Stderr, said)
}

// commandFailure returns why a command failed, with the first line of its standard error. It leaves out a
// line that the command also printed on standard output, because that may be the secret.
func commandFailure(ctx context.Context, err error, printed, said *cappedBuffer) error {
	if ctx.Err() != nil {
		err = contextError(ctx)
	}
	if printed.refused {
		return fmt.Errorf("it printed more than %d octets", mostOctets)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(decodeText(said.data)), "\n")
	text = strings.ToValidUTF8(Trim(text), "�")
	for line := range strings.Lines(decodeText(printed.data)) {
		if line = Trim(line); line != "" && strings.Contains(text, line) {
			text = ""
		}
	}
	if text == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, text)
}

// cappedBuffer keeps the first octets written to it. It discards the rest or, with refuse, returns an
// error.
type cappedBuffer struct {
	most    int
	refuse  bool
	data    []byte
	refused bool
}

func (b *cappedBuffer) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.most-len(b.data))]
	b.data = append(b.data, keep...)
	if b.refuse && len(keep) < len(p) {
		b.refused = true
		return len(keep), io.ErrShortWrite
	}
	return len(p), nil
}

// Format keeps the output out of every formatted text.
func (b *cappedBuffer) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d octets", len(b.data)) }
