package message

import (
	"time"

	"github.com/yanmail/yan/dkim"
)

// Sign returns the same message, composed or raw, with a DKIM signature from each signer
// prepended. It reads the message once, as a stream; the sources must not change before WriteTo,
// or the signatures are invalid. The result reads the sources of c, is closed with c, and need not
// be closed.
//
// Sign signs the 7-bit form, since a server on the way that recodes another form breaks the
// signature (RFC 6376 section 5.3); only an 8-bit raw message stays 8-bit. The result has no other
// form: it is sent as it was signed.
func (c *Content) Sign(signers ...*dkim.Signer) (*Content, error) {
	if len(signers) == 0 {
		return c, nil
	}
	base := c
	if seven, ok := c.SevenBit(); ok {
		base = seven
	}
	fields, err := dkim.Sign(base, time.Now(), signers...)
	if err != nil {
		return nil, err
	}
	signed := *base
	signed.segments = append([]segment{literal(fields)}, base.segments...)
	signed.size += int64(len(fields))
	signed.signed = true
	return &signed, nil
}
