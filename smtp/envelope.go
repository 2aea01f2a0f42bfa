package smtp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// MaxRecipients limits an envelope. RFC 5321 section 4.5.3.1.8 requires servers to accept 100; a
// number near this limit is a mistake of the caller.
const MaxRecipients = 100_000

// Envelope is the sender and the recipients of a message, as sent in MAIL and RCPT; it may differ
// from the header. An Envelope from [NewEnvelope] has at least one recipient and no duplicates;
// the zero Envelope is invalid, and every sending function refuses it.
type Envelope struct {
	from Address
	to   []Address
	dsn  DSN
}

// NewEnvelope returns an envelope. The zero Address as from is the null reverse-path of bounces.
// A duplicate recipient counts once, at its first place.
func NewEnvelope(from Address, to ...Address) (Envelope, error) {
	if len(to) == 0 {
		return Envelope{}, localerr.New("envelope: no recipients")
	}
	if len(to) > MaxRecipients {
		return Envelope{}, localerr.Errorf("envelope: %d recipients, more than %d", len(to), MaxRecipients)
	}
	e := Envelope{from: from, to: make([]Address, 0, len(to))}
	seen := make(map[string]bool, len(to))
	for i, a := range to {
		if a.IsZero() {
			return Envelope{}, localerr.Errorf("envelope: recipient %d is empty", i+1)
		}
		if key := a.Wire(); !seen[key] {
			seen[key] = true
			e.to = append(e.to, a)
		}
	}
	return e, nil
}

// Only returns the envelope for some of its recipients, given by their indexes in To, with the
// same sender and notifications. Without any it is the zero Envelope.
func (e Envelope) Only(places ...int) Envelope {
	if len(places) == 0 {
		return Envelope{}
	}
	part := e
	part.to = make([]Address, len(places))
	for i, place := range places {
		part.to[i] = e.to[place]
	}
	return part
}

// From returns the reverse-path; zero for a bounce.
func (e Envelope) From() Address { return e.from }

// To returns the recipients in order, as a copy.
func (e Envelope) To() []Address { return append([]Address(nil), e.to...) }

// Len returns the number of recipients; 0 only for the zero Envelope.
func (e Envelope) Len() int { return len(e.to) }

// DSN returns the request for delivery notifications, as a copy.
func (e Envelope) DSN() DSN {
	d := e.dsn
	d.Notify = slices.Clone(d.Notify)
	return d
}

// NeedsSMTPUTF8 reports whether any address needs SMTPUTF8.
func (e Envelope) NeedsSMTPUTF8() bool {
	if e.from.NeedsSMTPUTF8() {
		return true
	}
	for _, a := range e.to {
		if a.NeedsSMTPUTF8() {
			return true
		}
	}
	return false
}

// DSN is a request for delivery status notifications (RFC 3461). The zero DSN requests nothing
// and sends no parameter.
type DSN struct {
	// Return is the content of a failure notice: "FULL", "HDRS" or "" for the server's choice.
	Return string
	// EnvelopeID is repeated in the notice; at most 100 printable ASCII characters.
	EnvelopeID string
	// Notify lists when to send a notice: "NEVER" alone, or any of "SUCCESS",
	// "FAILURE" and "DELAY". Empty means the server's choice.
	Notify []string
}

// IsZero reports whether the DSN requests nothing.
func (d DSN) IsZero() bool { return d.Return == "" && d.EnvelopeID == "" && len(d.Notify) == 0 }

// WithDSN returns a copy of the envelope that requests these notifications.
func (e Envelope) WithDSN(d DSN) (Envelope, error) {
	if d.Return != "" && d.Return != "FULL" && d.Return != "HDRS" {
		return e, localerr.Errorf("dsn: return %q is neither FULL nor HDRS", d.Return)
	}
	if len(d.EnvelopeID) > 100 {
		return e, localerr.New("dsn: envelope id is longer than 100 characters")
	}
	for i := 0; i < len(d.EnvelopeID); i++ {
		if c := d.EnvelopeID[i]; c < 0x20 || c > 0x7e {
			return e, localerr.New("dsn: envelope id must be printable ASCII")
		}
	}
	for i, n := range d.Notify {
		switch n {
		case "SUCCESS", "FAILURE", "DELAY":
			if slices.Contains(d.Notify[:i], n) {
				return e, localerr.Errorf("dsn: notify %s is given twice", n)
			}
		case "NEVER":
			if len(d.Notify) > 1 {
				return e, localerr.New("dsn: NEVER can't be combined with other values")
			}
		default:
			return e, localerr.Errorf("dsn: notify %q is not one of NEVER, SUCCESS, FAILURE, DELAY", n)
		}
	}
	d.Notify = slices.Clone(d.Notify)
	e.dsn = d
	return e, nil
}

// XText encodes a parameter value (RFC 3461 section 4).
func XText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
