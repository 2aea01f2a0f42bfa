package message

import (
	"crypto/sha256"
	"io"
	"slices"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/smtp"
)

// Content is a message ready to be sent: every octet of it is determined, and
// none is written yet. It is for one goroutine at a time. Close it.
type Content struct {
	segments []segment
	size     int64

	form     form
	eightBit bool
	signed   bool

	messageID string
	utf8      bool

	// draft is what other forms are laid out from; nil for a raw message,
	// whose parties are known instead.
	draft   *draft
	parties parties
	// fit is how a raw message is changed, nil if it is not; said is then what its
	// Fingerprint is.
	fit     *fitPlan
	said    [sha256.Size]byte
	sources *sources
}

// form is what a server must be able to take for a Content to be sent to it.
type form int

const (
	sevenBitForm form = iota // nothing in particular
	eightBitForm             // 8BITMIME
	binaryForm               // BINARYMIME
)

// parties are the addresses of an envelope, before anyone asks for it.
type parties struct {
	from smtp.Address
	to   []smtp.Address
	// Why the one and the others are not known.
	fromErr, toErr error
}

// segment is a run of octets whose number is known before they are made.
type segment interface {
	size() int64
	emit(*output) error
}

// Size is the number of octets that WriteTo writes, before the dot-stuffing
// of DATA.
func (c *Content) Size() int64 { return c.size }

// EightBit reports whether the body holds octets above 127 and lines all the
// same, so that a server must offer 8BITMIME (RFC 6152). See IsBinary for what
// holds no lines.
func (c *Content) EightBit() bool { return c.eightBit }

// IsBinary reports whether the body holds binary data: any octets, in no lines.
// A server must offer BINARYMIME and be told of it by BODY=BINARYMIME, and takes
// it by BDAT alone (RFC 3030 section 3). The header is in lines as ever, and the
// last octets are CRLF.
func (c *Content) IsBinary() bool { return c.form == binaryForm }

// NeedsSMTPUTF8 reports whether the header holds UTF-8, so that a server must
// offer SMTPUTF8 (RFC 6531). The envelope may need it as well.
func (c *Content) NeedsSMTPUTF8() bool { return c.utf8 }

// MessageID is the value of the Message-ID field with its angle brackets; "" if
// a raw message has none or a malformed one.
func (c *Content) MessageID() string { return c.messageID }

// What a header may lack that an envelope needs.
var (
	ErrNoSender     = sentence.New("the message has neither From nor Sender")
	ErrNoRecipients = sentence.New("no recipients: none of To, Cc and Bcc names one")
)

// Envelope says who the message is from (Sender, or else From) and to (To, Cc
// and Bcc). It is an error to have no recipient.
func (c *Content) Envelope() (smtp.Envelope, error) {
	from, err := c.From()
	if err != nil {
		return smtp.Envelope{}, err
	}
	to, err := c.Recipients()
	if err != nil {
		return smtp.Envelope{}, err
	}
	return smtp.NewEnvelope(from, to...)
}

// From is the sender of the envelope alone, for a message whose recipients are given
// elsewhere or can't be read.
func (c *Content) From() (smtp.Address, error) {
	p := c.partiesOf()
	return p.from, p.fromErr
}

// Recipients are those of the envelope alone, for a message whose sender is given
// elsewhere or can't be read. It is an error to have none.
func (c *Content) Recipients() ([]smtp.Address, error) {
	p := c.partiesOf()
	if p.toErr == nil && len(p.to) == 0 {
		return nil, ErrNoRecipients
	}
	return slices.Clone(p.to), p.toErr
}

func (c *Content) partiesOf() parties {
	if c.draft != nil {
		return c.draft.parties()
	}
	return c.parties
}

// SevenBit is the same message for a server with neither 8BITMIME nor
// BINARYMIME: c itself where it is 7-bit already. It reads the sources of c,
// ends with c, and need not be closed. ok is false when there is none: a raw
// message is re-encoded only with [Raw.Fit].
func (c *Content) SevenBit() (seven *Content, ok bool) {
	switch {
	case !c.eightBit && !c.IsBinary():
		return c, true
	case c.fit != nil:
		return c.fit.sevenBit(c)
	case c.draft == nil:
		return nil, false
	}
	return c.draft.content(sevenBitForm), true
}

// Binary is the same message for a server with BINARYMIME: attachments as they
// are, which spares a quarter of their octets on the wire and all the work of
// base64, and text in 8bit where it can be. It reads the sources of c, ends with
// c, and need not be closed. ok is false when that is not shorter, as without
// attachments, and when the message must stay as it is: raw or signed.
func (c *Content) Binary() (binary *Content, ok bool) {
	switch {
	case c.IsBinary():
		return c, true
	case c.draft == nil, c.signed, !c.draft.sources.holdOctets():
		return nil, false
	}
	binary = c.draft.content(binaryForm)
	if binary.size >= c.size { // a few octets, and the labels that they cost
		return nil, false
	}
	return binary, true
}

// WriteTo writes the message: CRLF line ends throughout, but for the attachments
// of a binary one, and one at the end. It may be called again and writes the
// same. An error, other than one from w on the very last octets, comes with fewer
// than Size octets written; more than Size are never written. w must not keep
// or change what it is given.
func (c *Content) WriteTo(w io.Writer) (int64, error) {
	if c.sources.closed {
		return 0, sentence.New("the content of the message is closed")
	}
	o := &output{w: w, size: c.size}
	if len(c.sources.list) == 0 {
		// Else nothing is written before the first source was looked at.
		o.strings, _ = w.(io.StringWriter)
	}
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
