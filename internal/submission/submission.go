// Package submission is the one door into the outbox: the command, the daemon's
// interfaces and the library hand their messages over here.
//
// [Compose] or [Raw] makes a [Letter] of a message: checked and complete, so that it
// can be handed over days later and on another machine without a question. With
// an [Order], which says what is wanted, [Letter.Enqueue] keeps it in a store.
package submission

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Letter is a message that can be kept in the outbox, as often as wanted: in
// several accounts, or under several keys. It is for one goroutine at a time.
type Letter struct {
	content   smtpclient.Content
	envelope  smtp.Envelope
	messageID string
	subject   string
	// said hashes what the caller said: not what was made up for it.
	said   func() ([sha256.Size]byte, error)
	closes io.Closer // nil for what the caller closes
}

// Compose makes a Letter of a message by c, which may be nil. Close it. It is kept
// in its 7-bit form, as nobody knows what the server will take when it is handed
// over.
func Compose(c *message.Composer, m *message.Message) (*Letter, error) {
	if c == nil {
		c = new(message.Composer)
	}
	content, err := c.Compose(m)
	if err != nil {
		return nil, err
	}
	l, err := Composed(content, m.Subject)
	if err != nil {
		_ = content.Close() // the error that matters is err
		return nil, err
	}
	l.closes = content
	return l, nil
}

// Composed is Compose for a message that is composed already. The caller closes the
// content when the Letter is not used any more.
func Composed(content *message.Content, subject string) (*Letter, error) {
	envelope, err := content.Envelope()
	if err != nil {
		return nil, err
	}
	form := content
	if seven, ok := content.SevenBit(); ok {
		form = seven
	}
	return &Letter{content: form, envelope: envelope, messageID: content.MessageID(), subject: listSubject(subject), said: content.Fingerprint}, nil
}

// Raw makes a Letter of a message that is whole already, like those of
// message.OpenRaw, which leave Bcc out. Date and Message-ID are put in front of it
// where it lacks them (RFC 6409 sections 8.2 and 8.3). One that message.Compose made
// goes in its 7-bit form. The caller closes the content when the Letter is not used
// any more.
func Raw(content smtpclient.Content, envelope smtp.Envelope) (*Letter, error) {
	return raw(content, envelope, time.Now())
}

func raw(content smtpclient.Content, envelope smtp.Envelope, now time.Time) (*Letter, error) {
	if content == nil || envelope.Len() == 0 {
		return nil, sentence.New("the message has no recipients or no content")
	}
	said := func() ([sha256.Size]byte, error) { return octets(content) }
	if made, ok := content.(made); ok {
		said = made.Fingerprint
		if seven, ok := made.SevenBit(); ok {
			content = seven
		}
	}
	h, err := headerOf(content)
	if err != nil {
		return nil, sentence.Errorf("reading the header of the message: %w", err)
	}
	l := &Letter{content: content, envelope: envelope, messageID: h.MessageID(), subject: listSubject(h.Text("Subject")), said: said}
	var missing []byte
	if !h.Has("Date") {
		missing = append(now.AppendFormat(append(missing, "Date: "...), time.RFC1123Z), "\r\n"...)
	}
	if !h.Has("Message-ID") {
		l.messageID = message.NewMessageID(idDomain(h, envelope))
		missing = append(missing, "Message-ID: "+l.messageID+"\r\n"...)
	}
	if len(missing) > 0 {
		l.content = completed{content, missing}
	}
	return l, nil
}

// made is a message.Content, or holds one.
type made interface {
	Fingerprint() ([sha256.Size]byte, error)
	SevenBit() (*message.Content, bool)
}

// octets is the fingerprint of a message as it is, that of message.Content too.
func octets(content smtpclient.Content) ([sha256.Size]byte, error) {
	sum := sha256.New()
	if _, err := content.WriteTo(sum); err != nil {
		return [sha256.Size]byte{}, err
	}
	return [sha256.Size]byte(sum.Sum(nil)), nil
}

// MessageID is that of the message, in its angle brackets; "" of a whole message
// whose own is malformed.
func (l *Letter) MessageID() string { return l.messageID }

// Envelope is who the message is from and to.
func (l *Letter) Envelope() smtp.Envelope { return l.envelope }

// Size is the number of octets that are kept.
func (l *Letter) Size() int64 { return l.content.Size() }

// Close closes what Compose has opened.
func (l *Letter) Close() error {
	if l.closes == nil {
		return nil
	}
	return l.closes.Close()
}

// Enqueue keeps the message in a store.
func (l *Letter) Enqueue(ctx context.Context, s outbox.Store, o Order) (outbox.EnqueueResult, error) {
	m, err := l.New(o)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	return s.Enqueue(ctx, m)
}

// EnqueueIn keeps the message inside a transaction of the caller's.
func (l *Letter) EnqueueIn(ctx context.Context, s outbox.Store, tx outbox.Tx, o Order) (outbox.EnqueueResult, error) {
	m, err := l.New(o)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	return s.EnqueueIn(ctx, tx, m)
}

// New is what a store is given. Where the order has a key, the message is read for
// it.
func (l *Letter) New(o Order) (outbox.NewMessage, error) {
	if err := o.check(); err != nil {
		return outbox.NewMessage{}, err
	}
	m := outbox.NewMessage{Account: o.Account, Key: o.Key, Envelope: l.envelope, MessageID: l.messageID, Subject: l.subject, Content: l.content,
		NotBefore: o.NotBefore, Expires: o.Expires, Priority: o.Priority, Tags: o.tags(), Hold: o.Hold, ReportOn: o.ReportOn}
	if o.Key == "" {
		return m, nil
	}
	said, err := l.said()
	if err != nil {
		return outbox.NewMessage{}, err
	}
	m.Fingerprint = fingerprint(said, l.envelope)
	return m, nil
}

// fingerprint is over a message and who it goes from and to. When it should go
// is no part of it: a program that asks a second time may mean another hour. It
// has to stay the same from version to version.
func fingerprint(said [sha256.Size]byte, e smtp.Envelope) [sha256.Size]byte {
	h := sha256.New()
	_, _ = h.Write(said[:]) // a hash has no errors
	text(h, "yan order 1")
	text(h, e.From().String())
	list(h, e.To(), smtp.Address.String)
	d := e.DSN()
	text(h, d.Return)
	text(h, d.EnvelopeID)
	list(h, d.Notify, func(s string) string { return s })
	return [sha256.Size]byte(h.Sum(nil))
}

// text writes a text behind its length, so that no two sequences are the same.
func text(h hash.Hash, s string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
	_, _ = h.Write([]byte(s))
}

func list[T any](h hash.Hash, all []T, form func(T) string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(all))))
	for _, one := range all {
		text(h, form(one))
	}
}

// completed is a whole message with the fields that it lacks in front of it.
type completed struct {
	smtpclient.Content
	missing []byte
}

func (c completed) Size() int64 { return int64(len(c.missing)) + c.Content.Size() }

// IsBinary is as of smtpclient.BinaryContent.
func (c completed) IsBinary() bool {
	b, ok := c.Content.(smtpclient.BinaryContent)
	return ok && b.IsBinary()
}

func (c completed) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.missing)
	if err != nil {
		return int64(n), err
	}
	rest, err := c.Content.WriteTo(w)
	return int64(n) + rest, err
}
