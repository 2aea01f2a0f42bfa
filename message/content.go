package message

import (
	"errors"
	"fmt"
	"io"

	"github.com/yanmail/yan/smtp"
)

// Content is a message ready to be sent: every octet of it is determined, and
// none is written yet. It is for one goroutine at a time. Close it.
type Content struct {
	segments []segment
	size     int64
	eightBit bool

	messageID string
	utf8      bool
	envelope  parties

	sources *sources
	// sevenBit makes the 7-bit variant; nil when there is none to make.
	sevenBit func() *Content
}

// parties are the addresses of an envelope, before anyone asks for it.
type parties struct {
	from smtp.Address
	to   []smtp.Address
	err  error // why there is no envelope
}

// segment is a run of octets whose number is known before they are made.
type segment interface {
	size() int64
	emit(*output) error
}

// Size is the number of octets that WriteTo writes, before the dot-stuffing
// of DATA.
func (c *Content) Size() int64 { return c.size }

// EightBit reports whether the body holds octets above 127, so that a server
// must offer 8BITMIME (RFC 6152).
func (c *Content) EightBit() bool { return c.eightBit }

// NeedsSMTPUTF8 reports whether the header holds UTF-8, so that a server must
// offer SMTPUTF8 (RFC 6531). The envelope may need it as well.
func (c *Content) NeedsSMTPUTF8() bool { return c.utf8 }

// MessageID is the value of the Message-ID field with its angle brackets; "" if
// a raw message has none or a malformed one.
func (c *Content) MessageID() string { return c.messageID }

// Envelope says who the message is from (Sender, or else From) and to (To, Cc
// and Bcc). It is an error to have no recipient.
func (c *Content) Envelope() (smtp.Envelope, error) {
	if c.envelope.err != nil {
		return smtp.Envelope{}, c.envelope.err
	}
	if len(c.envelope.to) == 0 {
		return smtp.Envelope{}, errors.New("no recipients: none of To, Cc and Bcc names one")
	}
	return smtp.NewEnvelope(c.envelope.from, c.envelope.to...)
}

// SevenBit is the same message for a server without 8BITMIME: c itself where
// it is 7-bit already. It reads the sources of c, ends with c, and need not be
// closed. ok is false when there is none: a raw message is never re-encoded.
func (c *Content) SevenBit() (seven *Content, ok bool) {
	switch {
	case !c.eightBit:
		return c, true
	case c.sevenBit == nil:
		return nil, false
	}
	return c.sevenBit(), true
}

// WriteTo writes the message: CRLF line ends throughout, one at the end. It
// may be called again and writes the same. An error, other than one from w on
// the very last octets, comes with fewer than Size octets written; more than
// Size are never written.
func (c *Content) WriteTo(w io.Writer) (int64, error) {
	if c.sources.closed {
		return 0, errors.New("the content of the message is closed")
	}
	o := &output{w: w, size: c.size, buf: make([]byte, 0, int(min(c.size, outputBlock))+maxStep)}
	for _, s := range c.segments {
		if err := s.emit(o); err != nil {
			return o.written, err
		}
	}
	return o.written, o.finish()
}

// Close closes the attachments and removes temporary files. Closing twice is
// fine.
func (c *Content) Close() error { return c.sources.close() }

// outputBlock is the largest write, about two TLS records, and with inputBlock
// all the memory that streaming costs.
const outputBlock = 32 << 10

// inputBlock is what is read from a source at once: as many whole base64 lines
// as outputBlock has room for.
const inputBlock = outputBlock / (base64Line + 2) * base64Group

// maxStep is the most that a segment appends in steps which it does not
// measure beforehand.
const maxStep = qpMaxStep

// errSize means that a source yields other octets than it was measured by.
var errSize = errors.New("the content of the message changed since it was measured")

// output gathers what segments emit into large writes, and guards the promise
// of Size: the last octets are written only when it is certain that all is
// there and nothing is left over.
type output struct {
	w       io.Writer
	buf     []byte
	written int64
	size    int64
	input   []byte // for whoever reads a source; see readBuffer
}

// reserve makes room for n more octets in buf, n > 0.
func (o *output) reserve(n int) error {
	if len(o.buf)+n <= cap(o.buf) {
		return nil
	}
	if o.written+int64(len(o.buf)) >= o.size {
		return errSize
	}
	return o.flush()
}

func (o *output) flush() error {
	n, err := o.w.Write(o.buf)
	o.written += int64(max(n, 0))
	if err == nil && n != len(o.buf) {
		err = io.ErrShortWrite
	}
	o.buf = o.buf[:0]
	return err
}

func (o *output) finish() error {
	if have := o.written + int64(len(o.buf)); have != o.size {
		return fmt.Errorf("%w: %d octets instead of %d", errSize, have, o.size)
	}
	return o.flush()
}

// readBuffer is the one block that sources are read into. It holds the whole
// source, or else inputBlock, which is a multiple of a base64 line's octets.
func (o *output) readBuffer(size int64) []byte {
	if n := int(min(size, inputBlock)); len(o.input) < n {
		o.input = make([]byte, n)
	}
	return o.input
}

// literal is a segment that is already as it will be sent.
type literal string

func (l literal) size() int64 { return int64(len(l)) }

func (l literal) emit(o *output) error {
	for len(l) > 0 {
		if err := o.reserve(1); err != nil {
			return err
		}
		n := min(len(l), cap(o.buf)-len(o.buf))
		o.buf = append(o.buf, l[:n]...)
		l = l[n:]
	}
	return nil
}
