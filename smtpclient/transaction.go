package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// Content is a message ready to be sent. Package message creates it.
type Content interface {
	// Size is the exact number of octets that WriteTo writes; at least 1.
	Size() int64
	// EightBit reports whether there are octets above 127 outside the headers.
	EightBit() bool
	// NeedsSMTPUTF8 reports whether the headers contain octets above 127.
	NeedsSMTPUTF8() bool
	// WriteTo writes the message with CRLF line ends, including the last, and without
	// dot-stuffing. It may be called from another goroutine than Send or Run, and has returned
	// before the result is reported. While it waits for its own source no context can cancel it,
	// and earlier messages of a run may be delayed.
	io.WriterTo
}

// BinaryContent is a Content that may contain arbitrary octets, in lines of any length or none,
// as BINARYMIME (RFC 3030 section 3) carries them.
type BinaryContent interface {
	Content
	// IsBinary reports whether the content is binary.
	IsBinary() bool
}

// Policy says what happens to a message if some of its recipients are refused.
type Policy int

const (
	// Any sends to the accepted recipients. It is the library's default.
	Any Policy = iota
	// All sends the message only if every recipient was accepted before it. It is the default of the
	// command yan send. (A server that refuses one recipient only after the message, as LMTP allows,
	// can't be made to take it back from the others.)
	All
)

// Transaction is one message to one envelope.
type Transaction struct {
	Envelope smtp.Envelope
	Content  Content
	Policy   Policy
	// Progress, if set, is called with the number of octets of the message passed to the kernel
	// so far, at most size, and with the size of the form in which it is sent. It may be called
	// from another goroutine, but never after the result is reported.
	Progress func(sent, size int64)
	// Ready, if set, is called when it is the message's turn, before its first command, perhaps
	// more than once. Its error settles the message as not tried: so a run can be stopped before
	// messages that are only waiting in it.
	Ready func() error
	// DropDSN leaves the envelope's request for notifications out at a server that does not offer
	// DSN, as a relay does (RFC 3461 section 5.2.2). Otherwise the message fails there with
	// ErrNeedsDSN.
	DropDSN bool
	// StopAfter ends the transaction after StageMail or StageRcpt without sending the message; ""
	// carries it out. Content may be nil if StopAfter is set.
	StopAfter smtp.Stage
}

// Result is the result of a transaction.
type Result struct {
	// Outcomes has one entry per recipient, in the envelope's order.
	Outcomes []smtp.Outcome
	// Reply is the server's reply to the whole message; zero if there was none. It often contains
	// the server's queue ID.
	Reply smtp.Reply
	// Size is the size in octets of the message as it was, or would have been, sent.
	Size int64
	// Lost says that the connection ended, or had to be ended, before the server could have the
	// message: recipients that were not tried can be tried on another connection, and no
	// recipient gets the message twice.
	Lost bool
}

// oneFlight is the maximum size of a message sent in the flight of its envelope, before a reply
// is read. For a larger message one round trip is short compared with the upload, and a refused
// envelope saves the whole upload.
const oneFlight = 1 << 20

// transaction is a Transaction in progress. A recipient without a status is pending.
type transaction struct {
	Transaction
	c        *Conn
	to       []smtp.Address
	size     int64 // of the message, asked once
	outcomes []smtp.Outcome
	rcptOK   []bool
	mail     smtp.Reply
	data     smtp.Reply // to DATA
	final    smtp.Reply
	chunking bool
	gone     bool // Result.Lost
	// early says that its opening was sent together with the dot of the previous message.
	early bool
}

func (c *Conn) newTransaction(t Transaction) *transaction {
	x := &transaction{Transaction: t, c: c, to: t.Envelope.To()}
	if t.Content != nil {
		x.size = t.Content.Size()
	}
	x.chunking = c.usesChunking()
	x.outcomes = make([]smtp.Outcome, len(x.to))
	x.rcptOK = make([]bool, len(x.to))
	for i, a := range x.to {
		x.outcomes[i].Recipient = a
	}
	return x
}

func (x *transaction) makeResult() Result {
	return Result{Outcomes: x.outcomes, Reply: x.final, Size: x.size, Lost: x.gone}
}

// Send carries out one transaction. It returns when all outcomes are final; afterwards Usable
// says whether the connection can be used again.
func (c *Conn) Send(ctx context.Context, t Transaction) (result Result) {
	c.busy.Lock()
	defer c.busy.Unlock()
	defer c.w.useContext(ctx)()
	r := &connRun{c: c, ctx: ctx, exhausted: true, waiting: c.newTransaction(t),
		yield: func(told Result) bool {
			result = told
			return true
		}}
	r.carryOut()
	return result
}

// beginMessage prepares the connection for the first command of a message. It returns false if the
// message is settled already.
func (x *transaction) beginMessage(ctx context.Context) bool {
	c := x.c
	err := x.checkMessage()
	if err != nil && !c.mayOfferMore(err) {
		x.notTried(smtp.StageMail, err)
		return false
	}
	if c.broken.Load() {
		x.failUnsent(smtp.StageMail, ErrClosed)
		return false
	}
	if ctx.Err() != nil {
		x.notTried(smtp.StageMail, context.Cause(ctx))
		return false
	}
	if !x.checkUnsolicited(smtp.StageMail) {
		return false
	}
	if nothing, known := nothingToRead(c.w.raw); known && !nothing && !c.isQuiet() {
		// The server has hung up, or announces it.
		c.Close()
		x.failUnsent(smtp.StageMail, ErrClosed)
		return false
	}
	if err := c.resetTransaction(); err != nil {
		x.failUnsent(smtp.StageReset, err)
		return false
	}
	if err == nil {
		return true
	}
	if err := c.helloAgain(); err != nil {
		x.failUnsent(smtp.StageHello, err)
		return false
	}
	x.chunking = c.usesChunking()
	if err := x.checkMessage(); err != nil {
		x.notTried(smtp.StageMail, err)
		return false
	}
	return true
}

// checkMessage calls Ready, and returns an error before MAIL if this server can't accept this message.
func (x *transaction) checkMessage() error {
	if x.Ready != nil {
		if err := x.Ready(); err != nil {
			return err
		}
	}
	caps := x.c.caps
	switch {
	case !x.c.hello.Positive():
		return errors.New("the connection was dialled only to look at it, and has not come to EHLO")
	case len(x.to) == 0:
		return errors.New("the envelope has no recipients")
	case x.StopAfter != "" && x.StopAfter != smtp.StageMail && x.StopAfter != smtp.StageRcpt:
		return fmt.Errorf("a transaction can't stop after %q", x.StopAfter)
	case x.Envelope.NeedsSMTPUTF8() && !caps.Has("SMTPUTF8"):
		return ErrNeedsSMTPUTF8
	case x.needsSMTPUTF8() && !caps.Has("SMTPUTF8"):
		return ErrHeaderNeedsSMTPUTF8
	case !x.Envelope.DSN().IsZero() && !caps.Has("DSN") && (!x.DropDSN || x.c.mayOfferMore(ErrNeedsDSN)):
		return ErrNeedsDSN
	case x.Content == nil && x.StopAfter == "":
		return errors.New("no message")
	case x.Content == nil:
		return nil
	case x.size <= 0:
		return errors.New("the message is empty")
	case x.needsBinary() && !(caps.Has("BINARYMIME") && x.chunking):
		return ErrNeedsBINARYMIME
	case x.needsBinary() && !x.c.TakesBinary():
		return ErrBrokenBINARYMIME
	case x.Content.EightBit() && !x.needsBinary() && !caps.Has("8BITMIME"):
		return ErrNeeds8BITMIME
	case caps.Size() > 0 && x.size > caps.Size():
		return fmt.Errorf("%w: %d octets, limit %d", ErrTooLarge, x.size, caps.Size())
	}
	return nil
}

func (x *transaction) needsSMTPUTF8() bool {
	return x.Envelope.NeedsSMTPUTF8() || x.Content != nil && x.Content.NeedsSMTPUTF8()
}

// dsn returns the notifications that are requested from this server.
func (x *transaction) dsn() smtp.DSN {
	if x.DropDSN && !x.c.caps.Has("DSN") {
		return smtp.DSN{}
	}
	return x.Envelope.DSN()
}

// resetTransaction clears an open transaction on the server. It is needed only after one that did not reach
// its message.
func (c *Conn) resetTransaction() error {
	if !c.dirty {
		return nil
	}
	reply, err := c.runCommand(smtp.StageReset, "RSET")
	c.countReset()
	if err == nil && !reply.Positive() {
		// QUIRK: eYou and QQ answer RSET with a negative reply.
		err = &smtp.Error{Stage: smtp.StageReset, Reply: reply}
		c.Close()
	}
	c.dirty = false
	return err
}

// needsBinary reports whether the message needs BINARYMIME (RFC 3030 section 3).
func (x *transaction) needsBinary() bool {
	b, ok := x.Content.(BinaryContent)
	return ok && b.IsBinary()
}

// mailCommand appends only parameters that this message needs and this server offers: QQ refuses
// others, and unnecessary SMTPUTF8 makes later hops bounce.
func (x *transaction) mailCommand(b []byte) []byte {
	b = append(b, "MAIL FROM:<"...)
	b = x.Envelope.From().AppendWire(b)
	b = append(b, '>')
	if x.Content != nil && x.c.caps.Has("SIZE") {
		b = append(b, " SIZE="...)
		b = strconv.AppendInt(b, x.size, 10)
	}
	switch {
	case x.Content == nil:
	case x.needsBinary():
		b = append(b, " BODY=BINARYMIME"...)
	case x.Content.EightBit():
		b = append(b, " BODY=8BITMIME"...)
	}
	if x.needsSMTPUTF8() {
		b = append(b, " SMTPUTF8"...)
	}
	dsn := x.dsn()
	if dsn.Return != "" {
		b = append(append(b, " RET="...), dsn.Return...)
	}
	if dsn.EnvelopeID != "" {
		b = append(append(b, " ENVID="...), smtp.XText(dsn.EnvelopeID)...)
	}
	return b
}

func (x *transaction) rcptCommand(b []byte, i int) []byte {
	b = append(b, "RCPT TO:<"...)
	b = x.to[i].AppendWire(b)
	b = append(b, '>')
	if notify := x.dsn().Notify; len(notify) > 0 {
		b = append(append(b, " NOTIFY="...), strings.Join(notify, ",")...)
	}
	return b
}
