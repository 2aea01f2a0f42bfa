package smtp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// MaxRecipients bounds an envelope. RFC 5321 section 4.5.3.1.8 asks servers
// for 100; anything near this bound is a mistake in the caller.
const MaxRecipients = 100_000

// Envelope says who a message is from and to, as the server is told in MAIL
// and RCPT; it need not agree with the headers. An Envelope from [NewEnvelope]
// has at least one recipient and no duplicates; the zero Envelope is invalid,
// and every sender refuses it.
type Envelope struct {
	from Address
	to   []Address
	dsn  DSN
}

// NewEnvelope makes an envelope. The zero Address as from is the null
// reverse-path of bounces. A recipient given twice counts once, at its first
// place.
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

// Only is the envelope for some of its recipients, given by their places in
// To: same sender, same notifications. Without any it is the zero Envelope.
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

// From is the reverse-path; zero for a bounce.
func (e Envelope) From() Address { return e.from }

// To lists the recipients in order; the slice is the caller's to keep.
func (e Envelope) To() []Address { return append([]Address(nil), e.to...) }

// Len is the number of recipients; 0 only for the zero Envelope.
func (e Envelope) Len() int { return len(e.to) }

// DSN is what the sender asks about delivery notifications; the slice in it is
// the caller's to keep.
func (e Envelope) DSN() DSN {
	d := e.dsn
	d.Notify = slices.Clone(d.Notify)
	return d
}

// NeedsSMTPUTF8 reports whether any address needs it.
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

// DSN is a request for delivery status notifications (RFC 3461). The zero DSN
// asks for nothing special and sends no parameter.
type DSN struct {
	// Return is what a failure notice should hold: "FULL", "HDRS" or "" for
	// the server's choice.
	Return string
	// EnvelopeID comes back in the notice; at most 100 printable ASCII
	// characters.
	EnvelopeID string
	// Notify lists when to send a notice: "NEVER" alone, or any of "SUCCESS",
	// "FAILURE" and "DELAY". Empty means the server's choice.
	Notify []string
}

// IsZero reports whether nothing is asked.
func (d DSN) IsZero() bool { return d.Return == "" && d.EnvelopeID == "" && len(d.Notify) == 0 }

// WithDSN returns a copy of the envelope that asks for these notifications.
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
				return e, localerr.New("dsn: NEVER stands alone")
			}
		default:
			return e, localerr.Errorf("dsn: notify %q is none of NEVER, SUCCESS, FAILURE, DELAY", n)
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
