package message

import (
	"crypto/sha256"
	"io"
	"slices"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Content is a message ready to be sent: every octet is determined, but not written yet. It is
// not safe for concurrent use. Close it after use.
type Content struct {
	segments []segment
	size     int64

	form     form
	eightBit bool
	signed   bool

	messageID string
	utf8      bool

	// draft is the source of the other forms; nil for a raw message, whose parties are known
	// instead.
	draft   *draft
	parties parties
	// fit says how a raw message is changed, nil if it is not; said is its Fingerprint then.
	fit     *fitPlan
	said    [sha256.Size]byte
	sources *sources
}

// form is the capability that a server needs for a Content.
type form int

const (
	sevenBitForm form = iota // no capability
	eightBitForm             // 8BITMIME
	binaryForm               // BINARYMIME
)

// parties are the addresses of an envelope.
type parties struct {
	from smtp.Address
	to   []smtp.Address
	// The errors of finding the sender and the recipients.
	fromErr, toErr error
}

// segment is a run of octets of known length.
type segment interface {
	size() int64
	emitTo(*output) error
}

// Size is the number of octets that WriteTo writes, before the dot-stuffing
// of DATA.
func (c *Content) Size() int64 { return c.size }

// EightBit reports whether the body contains octets above 127 in lines, so that a server must
// offer 8BITMIME (RFC 6152). See IsBinary for a body without lines.
func (c *Content) EightBit() bool { return c.eightBit }

// IsBinary reports whether the body contains binary data: arbitrary octets without lines. A
// server must offer BINARYMIME and needs BODY=BINARYMIME and BDAT (RFC 3030 section 3). The
// header is in lines as always, and the message ends with CRLF.
func (c *Content) IsBinary() bool { return c.form == binaryForm }

// NeedsSMTPUTF8 reports whether the header contains UTF-8, so that a server must offer SMTPUTF8
// (RFC 6531). The envelope may need it as well.
func (c *Content) NeedsSMTPUTF8() bool { return c.utf8 }

// MessageID returns the value of the Message-ID field with its angle brackets; "" if a raw
// message has none or a malformed one.
func (c *Content) MessageID() string { return c.messageID }

// The errors for a header from which the envelope can't be made.
var (
	ErrNoSender     = localerr.New("the message has neither From nor Sender")
	ErrNoRecipients = localerr.New("no recipients: To, Cc and Bcc contain none")
)

// Envelope returns the envelope of the message: the sender (Sender, or else From) and the
// recipients (To, Cc and Bcc). It is an error if there is no recipient.
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

// From returns the envelope's sender only, for a message whose recipients are given elsewhere or
// can't be read.
func (c *Content) From() (smtp.Address, error) {
	p := c.partiesOf()
	return p.from, p.fromErr
}

// Recipients returns the envelope's recipients only, for a message whose sender is given
// elsewhere or can't be read. It is an error if there are none.
func (c *Content) Recipients() ([]smtp.Address, error) {
	p := c.partiesOf()
	if p.toErr == nil && len(p.to) == 0 {
		return nil, ErrNoRecipients
	}
	return slices.Clone(p.to), p.toErr
}

func (c *Content) partiesOf() parties {
	if c.draft != nil {
		return c.draft.envelopeParties()
	}
	return c.parties
}

// SevenBit returns the same message for a server with neither 8BITMIME nor BINARYMIME: c itself
// if it is 7-bit already. The result reads the sources of c, is closed with c, and need not be
// closed. ok is false if there is none: a raw message is re-encoded only with [Raw.Fit].
func (c *Content) SevenBit() (seven *Content, ok bool) {
	switch {
	case !c.eightBit && !c.IsBinary():
		return c, true
	case c.fit != nil:
		return c.fit.sevenBit(c)
	case c.draft == nil:
		return nil, false
	}
	return c.draft.contentIn(sevenBitForm), true
}

// Binary returns the same message for a server with BINARYMIME: attachments without encoding,
// which saves a quarter of their octets on the wire and all the work of base64, and text in 8bit
// where possible. The result reads the sources of c, is closed with c, and need not be closed. ok
// is false if that is not shorter, as without attachments, and if the message must not change
// because it is raw or signed.
func (c *Content) Binary() (binary *Content, ok bool) {
	switch {
	case c.IsBinary():
		return c, true
	case c.draft == nil, c.signed, !c.draft.sources.holdOctets():
		return nil, false
	}
	binary = c.draft.contentIn(binaryForm)
	if binary.size >= c.size { // only a few octets, fewer than the labels take
		return nil, false
	}
	return binary, true
}

// WriteTo writes the message, with CRLF line ends everywhere except within binary attachments,
// and one at the end. Every call writes the same octets. After an error, unless w failed on the
// very last octets, fewer than Size octets are written; more than Size are never written. w must
// not keep or change the slices it receives.
func (c *Content) WriteTo(w io.Writer) (int64, error) {
	if c.sources.closed {
		return 0, localerr.New("the content of the message is closed")
	}
	o := &output{w: w, size: c.size}
	if len(c.sources.list) == 0 {
		// Otherwise nothing is written before the first source is checked.
		o.strings, _ = w.(io.StringWriter)
	}
	for _, s := range c.segments {
		if err := s.emitTo(o); err != nil {
			return o.written, err
		}
	}
	return o.written, o.finishOutput()
}

// Close closes the attachments and removes temporary files. Closing twice is allowed.
func (c *Content) Close() error { return c.sources.closeAll() }
