// Package submission puts messages into the outbox, for the command, the daemon and the library.
//
// [Compose] or [Raw] turns a message into a [PreparedMessage]: checked and complete, so that it can
// be sent days later and on another machine. [PreparedMessage.Enqueue] stores it with an [Order].
package submission

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// PreparedMessage is a message that can be enqueued, any number of times: in several accounts, or
// with several keys. It is not safe for concurrent use.
type PreparedMessage struct {
	content   smtpclient.Content
	envelope  smtp.Envelope
	messageID string
	subject   string
	// callerHash hashes caller-supplied content only, not generated headers.
	callerHash func() ([sha256.Size]byte, error)
	closes     io.Closer // nil if the caller closes the content
}

// Compose composes a message with c, which may be nil, and returns it as a PreparedMessage. The
// caller closes it. It is stored in its 7-bit form, since the capabilities of the server at the
// time of sending are not known.
func Compose(c *message.Composer, m *message.Message) (*PreparedMessage, error) {
	if c == nil {
		c = new(message.Composer)
	}
	content, err := c.Compose(m)
	if err != nil {
		return nil, err
	}
	l, err := FromComposed(content, m.Subject)
	if err != nil {
		_ = content.Close() // err is the error to return
		return nil, err
	}
	l.closes = content
	return l, nil
}

// FromComposed is Compose for a message that is already composed. The caller closes the content when
// the PreparedMessage is no longer used.
func FromComposed(content *message.Content, subject string) (*PreparedMessage, error) {
	envelope, err := content.Envelope()
	if err != nil {
		return nil, err
	}
	form := content
	if seven, ok := content.SevenBit(); ok {
		form = seven
	}
	return &PreparedMessage{content: form, envelope: envelope, messageID: content.MessageID(), subject: listSubject(subject), callerHash: content.Fingerprint}, nil
}

// Raw turns a whole message into a PreparedMessage, such as those of message.OpenRaw, which omit
// Bcc. Missing Date and Message-ID fields are prepended (RFC 6409 sections 8.2 and 8.3). A message
// made by message.Compose is stored in its 7-bit form. The caller closes the content when the
// PreparedMessage is no longer used.
func Raw(content smtpclient.Content, envelope smtp.Envelope) (*PreparedMessage, error) {
	return newRaw(content, envelope, time.Now())
}

func newRaw(content smtpclient.Content, envelope smtp.Envelope, now time.Time) (*PreparedMessage, error) {
	if content == nil || envelope.Len() == 0 {
		return nil, localerr.New("the message has no recipients or no content")
	}
	said := func() ([sha256.Size]byte, error) { return hashContent(content) }
	if made, ok := content.(composedContent); ok {
		said = made.Fingerprint
		if seven, ok := made.SevenBit(); ok {
			content = seven
		}
	}
	h, err := headerOf(content)
	if err != nil {
		return nil, localerr.Errorf("reading the header of the message: %w", err)
	}
	l := &PreparedMessage{content: content, envelope: envelope, messageID: h.MessageID(), subject: listSubject(h.Text("Subject")), callerHash: said}
	var missing []byte
	if !h.Has("Date") {
		missing = append(now.AppendFormat(append(missing, "Date: "...), time.RFC1123Z), "\r\n"...)
	}
	if !h.Has("Message-ID") {
		l.messageID = message.NewMessageID(idDomain(h, envelope))
		missing = append(missing, "Message-ID: "+l.messageID+"\r\n"...)
	}
	if len(missing) > 0 {
		l.content = completedContent{content, missing}
	}
	return l, nil
}

// composedContent is the interface of message.Content, also for types that embed one.
type composedContent interface {
	Fingerprint() ([sha256.Size]byte, error)
	SevenBit() (*message.Content, bool)
}

// hashContent returns the fingerprint of a message as it is.
func hashContent(content smtpclient.Content) ([sha256.Size]byte, error) {
	sum := sha256.New()
	if _, err := content.WriteTo(sum); err != nil {
		return [sha256.Size]byte{}, err
	}
	return [sha256.Size]byte(sum.Sum(nil)), nil
}

// MessageID returns the message's Message-ID with its angle brackets; "" for a whole message with a
// malformed one.
func (l *PreparedMessage) MessageID() string { return l.messageID }

// Envelope returns the envelope.
func (l *PreparedMessage) Envelope() smtp.Envelope { return l.envelope }

// Size returns the number of octets that are stored.
func (l *PreparedMessage) Size() int64 { return l.content.Size() }

// Close closes the content that Compose has opened.
func (l *PreparedMessage) Close() error {
	if l.closes == nil {
		return nil
	}
	return l.closes.Close()
}

// Enqueue stores the message in an outbox.
func (l *PreparedMessage) Enqueue(ctx context.Context, s outbox.Enqueuer, o Order) (outbox.EnqueueResult, error) {
	m, err := l.NewMessage(o)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	return s.Enqueue(ctx, m)
}

// EnqueueIn stores the message inside a transaction of the caller.
func (l *PreparedMessage) EnqueueIn(ctx context.Context, s outbox.Enqueuer, tx outbox.CallerTx, o Order) (outbox.EnqueueResult, error) {
	m, err := l.NewMessage(o)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	return s.EnqueueIn(ctx, tx, m)
}

// NewMessage returns the message for a store. If the order has a key, New reads the content for the
// fingerprint.
func (l *PreparedMessage) NewMessage(o Order) (outbox.NewMessage, error) {
	if err := o.validate(); err != nil {
		return outbox.NewMessage{}, err
	}
	m := outbox.NewMessage{Account: o.Account, Key: o.Key, Envelope: l.envelope, MessageID: l.messageID, Subject: l.subject, Content: l.content,
		NotBefore: o.NotBefore, Expires: o.Expires, Priority: o.Priority, Tags: o.uniqueTags(), Hold: o.Hold, ReportOn: o.ReportOn}
	if o.Key == "" {
		return m, nil
	}
	said, err := l.callerHash()
	if err != nil {
		return outbox.NewMessage{}, err
	}
	m.Fingerprint = orderFingerprint(said, l.envelope)
	return m, nil
}

// orderFingerprint identifies a message with its envelope. The time of sending is not part of it: a
// program that repeats a request may name another time. The scheme must stay the same in all
// versions.
func orderFingerprint(said [sha256.Size]byte, e smtp.Envelope) [sha256.Size]byte {
	h := sha256.New()
	_, _ = h.Write(said[:]) // a hash returns no errors
	writeText(h, "yan order 1")
	writeText(h, e.From().String())
	writeList(h, e.To(), smtp.Address.String)
	d := e.DSN()
	writeText(h, d.Return)
	writeText(h, d.EnvelopeID)
	writeList(h, d.Notify, func(s string) string { return s })
	return [sha256.Size]byte(h.Sum(nil))
}

// writeText writes a text after its length, so that no two sequences are equal.
func writeText(h hash.Hash, s string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
	_, _ = h.Write([]byte(s))
}

func writeList[T any](h hash.Hash, all []T, form func(T) string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(all))))
	for _, one := range all {
		writeText(h, form(one))
	}
}

// completedContent is a whole message with the missing header fields in front of it.
type completedContent struct {
	smtpclient.Content
	missing []byte
}

func (c completedContent) Size() int64 { return int64(len(c.missing)) + c.Content.Size() }

// IsBinary implements smtpclient.BinaryContent.
func (c completedContent) IsBinary() bool {
	b, ok := c.Content.(smtpclient.BinaryContent)
	return ok && b.IsBinary()
}

func (c completedContent) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.missing)
	if err != nil {
		return int64(n), err
	}
	rest, err := c.Content.WriteTo(w)
	return int64(n) + rest, err
}
