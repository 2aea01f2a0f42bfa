// Package repair turns a message as programs write it into one that a mailbox provider takes. What is
// right already is not changed. It does no I/O but that of its reader.
//
// [Rules] lists what is changed.
package repair

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Options say what to repair beside the form.
type Options struct {
	Now time.Time // of a Date that is added; zero means now
	// From decides about the From field. It gets nil if there is no address with a domain. It returns
	// the mailbox to write; nil leaves the field as it is. The name of the field is kept if it has one.
	// Without it the field is left.
	From func(from *message.Mailbox) *message.Mailbox
	// ReplyTo reports whether an address that From replaces can receive mail: it goes to Reply-To if
	// there is none, all others to X-Original-From. nil: none can.
	ReplyTo func(old smtp.Address) bool
	// Local completes addresses without a domain in To, Cc, Reply-To, Sender and the Resent fields; nil
	// leaves them.
	Local    func(name string) (smtp.Address, bool)
	FullName string // the name of a From that has none, as of sendmail -F
	Received string // the value of a Received field to put on top; "" for none
	IDDomain string // of a Message-ID that is added; "" takes it from From
}

// Error is a defect that can't be repaired.
type Error struct {
	Line int // 0: the message as a whole
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

// Unwrap returns the defect.
func (e *Error) Unwrap() error { return e.Err }

// Change is the name of a rule that changed something.
type Change string

// Rule is a repair.
type Rule struct {
	Name Change
	Does string // an English sentence; package i18n has it in other languages
}

// Rules returns all repairs, in the order of the documentation.
func Rules() []Rule { return nil }

// Recipient is a recipient that the header names: an address, or text without a domain.
type Recipient struct {
	Address smtp.Address
	Name    string // a local name as written, or text that is no address; "" if Address is set
}

// String returns the address or the name.
func (r Recipient) String() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Address.String()
}

// Message is a repaired message. It reads its source again each time that it is written. It is not
// safe for concurrent use, and has nothing to close.
type Message struct {
	content    *message.Content
	header     message.RawHeader
	recipients []Recipient
	changes    []Change
}

// Read reads a message and finds what to repair. Errors of src are returned as they are; any other is
// an *Error.
func Read(src io.ReaderAt, size int64, o Options) (*Message, error) {
	c, err := message.ReadRaw(io.NewSectionReader(src, 0, size))
	if err != nil {
		return nil, &Error{Err: err}
	}
	m := &Message{content: c}
	header, err := message.ReadHeader(io.NewSectionReader(src, 0, size), 1<<20)
	if err != nil {
		return nil, err
	}
	m.header = header
	return m, nil
}

// Header returns the header after the repair.
func (m *Message) Header() message.RawHeader { return m.header }

// Recipients returns the recipients of the header before the repair, each once: those of the first
// block of Resent-To, Resent-Cc and Resent-Bcc if there is one with a recipient, else of To, Cc and Bcc.
func (m *Message) Recipients() []Recipient { return m.recipients }

// Changes returns the rules that changed something, in the order of Rules.
func (m *Message) Changes() []Change { return m.changes }

// Size implements smtpclient.Content.
func (m *Message) Size() int64 { return m.content.Size() }

// EightBit implements smtpclient.Content.
func (m *Message) EightBit() bool { return m.content.EightBit() }

// NeedsSMTPUTF8 implements smtpclient.Content.
func (m *Message) NeedsSMTPUTF8() bool { return m.content.NeedsSMTPUTF8() }

// WriteTo implements smtpclient.Content.
func (m *Message) WriteTo(w io.Writer) (int64, error) { return m.content.WriteTo(w) }

// Bytes returns the whole message, for tests and short messages.
func (m *Message) Bytes() ([]byte, error) {
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	return b.Bytes(), err
}
