package message

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"
)

// Fingerprint returns the SHA-256 of the message's content: the same for two messages composed
// from the same fields, although each has its own Message-ID, date and boundaries. It covers the
// fields of the [Message] except EightBit and DKIM, MessageID and Date only if they were set, and
// the contents of the attachments, which it reads once more. For a raw message it covers the
// octets that WriteTo writes or, with [Raw.Fit], would write without it. It is stable across
// versions of this package.
func (c *Content) Fingerprint() ([sha256.Size]byte, error) {
	if c.fit != nil {
		return c.said, nil
	}
	h := sha256.New()
	if c.draft == nil {
		if _, err := c.WriteTo(h); err != nil {
			return [sha256.Size]byte{}, err
		}
		return [sha256.Size]byte(h.Sum(nil)), nil
	}
	f := fingerprint{h}
	if err := f.draft(c.draft); err != nil {
		return [sha256.Size]byte{}, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// FormerFingerprint returns the Fingerprint of a raw message from before the fields of its
// mailbox, like Status, were left out (decision 26). ok is false if there are no such fields.
func (c *Content) FormerFingerprint() (sum [sha256.Size]byte, ok bool, err error) {
	var former rawBody
	switch body := c.segments[len(c.segments)-1].(type) {
	case *rawBody:
		former = *body
	case *fitBody:
		former = *body.raw
	default:
		return sum, false, nil
	}
	former.former = true
	h, octets := sha256.New(), int64(0)
	err = former.read(nil, func(line []byte, partial bool) error {
		octets += int64(len(line))
		_, _ = h.Write(line) // a hash returns no errors
		if !partial {
			octets += 2
			_, _ = h.Write([]byte("\r\n"))
		}
		return nil
	})
	return [sha256.Size]byte(h.Sum(nil)), octets != former.octets, err
}

// fingerprint writes fields unambiguously: each with its length before it, each list with its
// length.
type fingerprint struct{ h hash.Hash }

func (f fingerprint) length(n int64) {
	_, _ = f.h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // a hash returns no errors
}

func (f fingerprint) text(s string) {
	f.length(int64(len(s)))
	_, _ = f.h.Write([]byte(s))
}

func (f fingerprint) list(boxes []Mailbox) {
	f.length(int64(len(boxes)))
	for _, m := range boxes {
		f.text(m.String())
	}
}

func (f fingerprint) draft(d *draft) error {
	f.text("yan message 1")
	m := d.message
	f.list(d.from)
	if d.sender != nil {
		f.list([]Mailbox{*d.sender})
	} else {
		f.list(nil)
	}
	f.list(d.replyTo)
	f.list(d.to)
	f.list(d.cc)
	f.list(d.bcc)
	f.text(m.Subject)
	f.text(m.Text)
	f.text(m.HTML)
	f.length(int64(len(m.Headers)))
	for _, h := range m.Headers {
		f.text(h.Name)
		f.text(h.Value)
	}
	if m.MessageID != "" {
		f.text(d.messageID)
	} else {
		f.text("")
	}
	if !m.Date.IsZero() {
		f.text(m.Date.UTC().Format(time.RFC3339))
	} else {
		f.text("")
	}
	if len(m.Alternatives) > 0 { // otherwise as in versions without alternatives
		f.text("alternatives")
		f.length(int64(len(m.Alternatives)))
	}
	for _, a := range m.Alternatives {
		f.text(a.ContentType)
		f.text(a.Text)
	}
	f.length(int64(len(m.Attachments)))
	for i, a := range m.Attachments {
		if err := f.attachment(a, d.sources.list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f fingerprint) attachment(a Attachment, src *source) error {
	for _, s := range []string{a.fileName(), a.ContentType, a.ContentID} {
		f.text(s)
	}
	inline := int64(0)
	if a.Inline {
		inline = 1
	}
	f.length(inline)
	f.length(src.size)
	var o output // only its read buffer is used
	return src.blocks(&o, inputBlock, func(block []byte) error {
		_, err := f.h.Write(block)
		return err
	})
}
