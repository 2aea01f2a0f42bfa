package message

import (
	"time"

	"github.com/yanmail/yan/dkim"
)

// Sign is the same message with DKIM signatures in front of it, one for each
// signer, be it composed or raw. It reads the message once for that, without
// holding it; the sources must not change between this and WriteTo, or the
// signatures are of something else. The result reads the sources of c, ends with
// c, and need not be closed.
//
// What is signed is the 7-bit form, since a server on the way that recodes
// another breaks the signature (RFC 6376 section 5.3); only a raw message that is
// 8-bit stays so. The result has no other form: it is sent as it was signed.
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
