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
	if err := f.writeDraft(c.draft); err != nil {
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
	err = former.readLines(nil, func(line []byte, partial bool) error {
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

func (f fingerprint) writeLength(n int64) {
	_, _ = f.h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // a hash returns no errors
}

func (f fingerprint) writeText(s string) {
	f.writeLength(int64(len(s)))
	_, _ = f.h.Write([]byte(s))
}

func (f fingerprint) writeList(boxes []Mailbox) {
	f.writeLength(int64(len(boxes)))
	for _, m := range boxes {
		f.writeText(m.String())
	}
}

func (f fingerprint) writeDraft(d *draft) error {
	f.writeText("yan message 1")
	m := d.message
	f.writeList(d.from)
	if d.sender != nil {
		f.writeList([]Mailbox{*d.sender})
	} else {
		f.writeList(nil)
	}
	f.writeList(d.replyTo)
	f.writeList(d.to)
	f.writeList(d.cc)
	f.writeList(d.bcc)
	f.writeText(m.Subject)
	f.writeText(m.Text)
	f.writeText(m.HTML)
	f.writeLength(int64(len(m.Headers)))
	for _, h := range m.Headers {
		f.writeText(h.Name)
		f.writeText(h.Value)
	}
	if m.MessageID != "" {
		f.writeText(d.messageID)
	} else {
		f.writeText("")
	}
	if !m.Date.IsZero() {
		f.writeText(m.Date.UTC().Format(time.RFC3339))
	} else {
		f.writeText("")
	}
	if len(m.Alternatives) > 0 { // otherwise as in versions without alternatives
		f.writeText("alternatives")
		f.writeLength(int64(len(m.Alternatives)))
	}
	for _, a := range m.Alternatives {
		f.writeText(a.ContentType)
		f.writeText(a.Text)
	}
	f.writeLength(int64(len(m.Attachments)))
	for i, a := range m.Attachments {
		if err := f.writeAttachment(a, d.sources.list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f fingerprint) writeAttachment(a Attachment, src *source) error {
	for _, s := range []string{a.fileName(), a.ContentType, a.ContentID} {
		f.writeText(s)
	}
	inline := int64(0)
	if a.Inline {
		inline = 1
	}
	f.writeLength(inline)
	f.writeLength(src.size)
	var o output // only its read buffer is used
	return src.eachBlock(&o, inputBlock, func(block []byte) error {
		_, err := f.h.Write(block)
		return err
	})
}
