package smtpclient

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/yanmail/yan/smtp"
)

// command is one line of a transaction.
type command struct {
	stage smtp.Stage
	rcpt  int // index of the recipient, for StageRcpt
}

// appendEnvelope appends MAIL and every RCPT.
func (x *transaction) appendEnvelope(cmds []command) []command {
	cmds = append(cmds, command{stage: smtp.StageMail})
	if x.StopAfter == smtp.StageMail {
		return cmds
	}
	for i := range x.to {
		cmds = append(cmds, command{smtp.StageRcpt, i})
	}
	return cmds
}

// appendOpening appends the envelope and, unless the message follows in chunks, DATA, which must be the
// last command of its flight (RFC 2920 section 3.1).
func (x *transaction) appendOpening(cmds []command) []command {
	cmds = x.appendEnvelope(cmds)
	if !x.chunking && x.StopAfter == "" {
		cmds = append(cmds, command{stage: smtp.StageData})
	}
	return cmds
}

// appendLine appends a command without its line end.
func (x *transaction) appendLine(b []byte, cmd command) []byte {
	switch cmd.stage {
	case smtp.StageReset:
		return append(b, "RSET"...)
	case smtp.StageMail:
		return x.mailCommand(b)
	case smtp.StageRcpt:
		return x.rcptCommand(b, cmd.rcpt)
	case smtp.StageData:
		return append(b, "DATA"...)
	}
	b = strconv.AppendInt(append(b, "BDAT "...), x.size, 10)
	return append(b, " LAST"...)
}

// handleReply records the reply to a command.
func (x *transaction) handleReply(cmd command, reply smtp.Reply) {
	x.c.note421(reply)
	switch cmd.stage {
	case smtp.StageReset:
		x.c.dirty = x.c.dirty && !reply.Positive()
		x.c.countReset()
		return
	}
	x.c.countReply(reply)
	switch cmd.stage {
	case smtp.StageMail:
		x.handleMailReply(reply)
	case smtp.StageRcpt:
		x.handleRcptReply(cmd.rcpt, reply)
	case smtp.StageData:
		x.data = reply
	}
}

// flight is a group of octets sent before a reply is read: commands of a message, the message
// itself, and the opening of the following one. Each part may be missing.
type flight struct {
	x      *transaction
	before []command
	body   *body
	next   *transaction
	after  []command

	head, tail []byte // before and after, as they are sent
}

// renderLines formats the command lines, and traces those before the message; the others are traced
// after the message is sent.
func (f *flight) renderLines() {
	if f.body != nil && f.x.chunking {
		f.head = f.x.appendLines(nil, append(slices.Clip(f.before), command{stage: smtp.StageBody}))
	} else {
		f.head = f.x.appendLines(nil, f.before)
	}
	f.x.c.traceLines(f.head)
	if f.next != nil {
		f.tail = f.next.appendLines(nil, f.after)
		f.body.followed, f.body.behind = true, f.tail
	}
}

// appendLines appends command lines with their line ends.
func (x *transaction) appendLines(b []byte, cmds []command) []byte {
	for _, cmd := range cmds {
		b = append(x.appendLine(b, cmd), '\r', '\n')
	}
	return b
}

// traceLines traces sent lines.
func (c *Conn) traceLines(lines []byte) {
	if c.w.trace == nil {
		return
	}
	for line := range bytes.Lines(lines) {
		c.w.traceLine(Sent, string(bytes.TrimRight(line, "\r\n")), 0)
	}
}

// writeFlight puts the flight on the wire.
func (f *flight) writeFlight() error {
	o, timeouts := f.x.c.out, f.x.c.cfg.Timeouts
	o.timeout = timeouts.Command
	_, _ = o.Write(f.head) // the writer keeps its error
	if f.body != nil {
		o.timeout = timeouts.DataBlock
		if err := f.body.writeTo(o); err != nil {
			if f.body.failed != nil {
				f.x.c.w.closeAbruptly()
			}
			return err
		}
	}
	_, _ = o.Write(f.tail)
	return o.flushBlock()
}

// totalSize returns the number of octets of the flight, without stuffed dots.
func (f *flight) totalSize() int64 {
	n := int64(len(f.head) + len(f.tail))
	if f.body != nil {
		n += f.x.size
	}
	return n
}

// roundTrip sends a flight and reads all its replies. If the message of x is in the
// flight, the replies settle x and tell is called; the opening of next is then answered.
// ok is false if the connection was lost: then both are settled.
//
// The replies are read while the flight is still being written: a server that stops reading until
// its replies are read would otherwise deadlock with us (RFC 2920 section 3.1). And if a server
// refuses in the middle of a message and hangs up, its reply is lost unless it was read before.
func (f *flight) roundTrip(tell func(*transaction)) (ok bool) {
	c := f.x.c
	if !f.x.checkUnsolicited(f.firstStage()) {
		f.failFollower(f.x)
		return false
	}
	c.grouped = c.grouped || len(f.before) > 1 || f.next != nil
	f.renderLines()
	g := c.w.startIfLarge(f.totalSize(), c.cfg.Timeouts.Quit, f.writeFlight)
	if f.body != nil && g.succeeded() { // otherwise the first reply to it triggers it
		f.body.traceSent(false)
	}
	stage, err := f.x.readReplies(f.before, g)
	if err == nil && f.body != nil {
		stage, err = smtp.StageBody, f.body.readFinalReplies(g)
	}
	if err != nil {
		lost := c.markLost(stage, g.betterCause(err))
		_ = g.waitForEnd() // the countingWriter knows how much was sent
		if f.body != nil {
			f.body.settleLost(stage, lost.Err)
		} else {
			f.x.lostEnvelope(lost)
		}
		f.failFollower(f.x)
		return false
	}
	if f.body != nil {
		c.proven = c.proven || len(f.before) > 1
		tell(f.x)
	}
	if f.next != nil {
		if stage, err = f.next.readReplies(f.after, g); err != nil {
			f.next.lostEnvelope(c.markLost(stage, g.betterCause(err)))
		}
	}
	// If a write failed although every reply came, the server answered and hung up; the next
	// command will detect that.
	_ = g.waitForEnd()
	return err == nil
}

// firstStage returns the stage of the first reply.
func (f *flight) firstStage() smtp.Stage {
	if len(f.before) > 0 {
		return f.before[0].stage
	}
	return smtp.StageBody
}

// failFollower settles the message after one whose connection was lost.
func (f *flight) failFollower(x *transaction) {
	if f.next != nil {
		f.next.failUnsent(smtp.StageMail, fmt.Errorf("%w while the message before this one was under way", errGone(x)))
	}
}

// errGone returns the error with which the connection of a message ended.
func errGone(x *transaction) error {
	for _, o := range x.outcomes {
		if o.Err != nil && !errors.Is(o.Err, ErrContent) {
			return o.Err
		}
	}
	return ErrClosed
}

// checkUnsolicited fails if the server sent data before our commands: then it settles the
// pending recipients and returns false.
func (x *transaction) checkUnsolicited(stage smtp.Stage) bool {
	err := x.c.checkUnasked()
	if err == nil {
		return true
	}
	reply, readErr := x.c.w.readReplyWithin(x.c.cfg.Timeouts.Quit)
	if readErr == nil {
		x.c.note421(reply)
	}
	if x.c.grouped && reply.Code != 421 {
		err = fmt.Errorf("%w: %w", ErrOutOfStep, err)
	}
	lost := x.c.markLost(stage, err)
	lost.Reply = reply
	x.failUnsent(stage, lost)
	return false
}

// readReplies reads one reply per command, in order. It reads all of them, whatever the others say.
func (x *transaction) readReplies(cmds []command, g *asyncWrite) (smtp.Stage, error) {
	var noReset smtp.Reply // a refusal of RSET
	unclean := x.c.dirty && len(cmds) > 0 && cmds[0].stage == smtp.StageReset
	for i, cmd := range cmds {
		timeout := x.c.cfg.Timeouts.Command
		if cmd.stage == smtp.StageData {
			timeout = x.c.cfg.Timeouts.DataInit
		}
		early := x.early && i == 0
		if early {
			timeout = min(timeout, earlyTimeout)
		}
		reply, err := g.readReply(timeout, nil)
		if early {
			err = x.checkPipelined(reply, err)
		}
		if err == nil && outOfPlace(cmd, reply) {
			// Whatever reply it waits for, the replies are out of step.
			err = fmt.Errorf("%w: %d in answer to %s", smtp.ErrMalformedReply, reply.Code, x.appendLine(nil, cmd))
			if len(cmds) > 1 {
				err = fmt.Errorf("%w: %w", ErrOutOfStep, err)
			}
		}
		if i > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			// The server answered earlier commands of the same flight.
			err = fmt.Errorf("%w: none to %s: %w", ErrOutOfStep, x.appendLine(nil, cmd), err)
		}
		if err != nil && x.c.leaving && !noReset.IsZero() && hungUp(err) {
			return smtp.StageReset, &smtp.Error{Stage: smtp.StageReset, Reply: noReset, Err: err}
		}
		if err != nil && !noReset.IsZero() && outOfSequence(x.mail) {
			break
		}
		if err != nil {
			return cmd.stage, err
		}
		x.c.leaving = reply.Code == 421
		if cmd.stage == smtp.StageReset && reply.Permanent() {
			// QUIRK: Exim answers 554 to one RSET too many, and hangs up. A reply about the
			// command's name or position may belong to another command.
			x.c.leaving, noReset = !isMisplaced(reply), reply
		}
		x.handleReply(cmd, reply)
	}
	if unclean && x.c.dirty && !x.mail.Positive() || !noReset.IsZero() && outOfSequence(x.mail) {
		// The failed transaction was not ended and this one not begun, so the server's recipients
		// are unknown. Or it read something else as RSET and MAIL, like the chunk of a BDAT that
		// it refused.
		x.clearOutcomes()
		return smtp.StageReset, fmt.Errorf("%w: neither RSET nor MAIL was accepted after a failed message", ErrOutOfStep)
	}
	return "", nil
}

// outOfPlace reports a reply that no server sends to this command.
func outOfPlace(cmd command, reply smtp.Reply) bool {
	if cmd.stage == smtp.StageData {
		return reply.Positive()
	}
	return reply.Intermediate()
}

// earlyTimeout limits the wait for the first reply to an opening sent with the dot of the
// previous message: a server that lost it stays silent, and if it is only slow, only time is
// lost.
const earlyTimeout = 30 * time.Second

// checkPipelined checks the first reply to an opening sent with the dot of the previous message for
// signs that the server did not read it as a command.
func (x *transaction) checkPipelined(reply smtp.Reply, err error) error {
	switch {
	case err == nil && outOfSequence(reply):
		return fmt.Errorf("%w: %s", ErrNotPipelined, reply)
	case err != nil && x.c.closing.Code == 0 && (errors.Is(err, os.ErrDeadlineExceeded) || hungUp(err)):
		return fmt.Errorf("%w: %w", ErrNotPipelined, err)
	}
	return err
}

// outOfSequence reports a refusal of the order or syntax of commands, and not of their content.
func outOfSequence(reply smtp.Reply) bool {
	return isMisplaced(reply) || reply.Permanent() && reply.Enhanced.Subject == 5
}

// isMisplaced reports a reply whose code says the same.
func isMisplaced(reply smtp.Reply) bool {
	switch reply.Code {
	case 500, 502, 503, 504, 521:
		return true
	}
	return false
}

// lostEnvelope settles a message whose opening was not completely answered: the server can't have
// it. Replies that did not fit have no effect.
func (x *transaction) lostEnvelope(lost *smtp.Error) {
	if errors.Is(lost.Err, ErrOutOfStep) || errors.Is(lost.Err, ErrNotPipelined) {
		x.clearOutcomes()
	}
	x.failUnsent(lost.Stage, lost)
}
