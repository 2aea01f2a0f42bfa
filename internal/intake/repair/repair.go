// Package repair turns a message as programs write it into one that a mailbox provider takes. What is
// right already is not changed. It does no I/O but that of its reader.
//
// [Rules] lists what is changed.
package repair

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
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
	// Local completes addresses without a domain in To, Cc, Reply-To and the Resent fields; a name that
	// it does not know becomes an empty group. nil leaves them.
	Local func(name string) (smtp.Address, bool)
	// IsLocal reports whether a domain means this machine: names in it are completed, too.
	IsLocal  func(domain string) bool
	FullName string // the name of a From that has none, as of sendmail -F
	Received string // the value of a Received field to put on top; "" for none
	IDDomain string // of a Message-ID that is added; "" takes it from From
	TakeKey  bool   // leave out Yan-Key; Message.Key returns it
	// Undated leaves a missing Date and Message-ID to a later repair, which knows the account's domain.
	Undated bool
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

// Message is a repaired message. It reads its source again each time that it is written. It is not
// safe for concurrent use, and has nothing to close.
type Message struct {
	content    smtpclient.Content
	header     *message.RawHeader // nil until it is asked for
	recipients []Recipient
	changes    []Change
	key        string
}

// Read reads a message and finds what to repair. Errors of src are returned as they are; any other is
// an *Error.
func Read(src io.ReaderAt, size int64, o Options) (*Message, error) {
	source := newReader(src, size)
	in, err := readInput(source)
	if err != nil {
		return nil, err
	}
	m := &Message{recipients: recipients(in.fields)}
	h := &header{input: *in, o: o}
	if err := h.repair(); err != nil {
		return nil, &Error{Err: err}
	}
	body, err := readBody(source, h.body)
	if err != nil {
		return nil, err
	}
	kind := h.find("content-type")
	body.iso2022 = body.iso2022 || kind != nil && strings.Contains(strings.ToLower(kind.value()), "iso-2022")
	if !h.signed {
		h.labels(&body)
	}
	if head := h.bytes(); body.isClean() && isReady(head) && !h.isBinary() {
		m.content = &plain{head: head, src: source, from: h.body, facts: body}
	} else if m.content, err = h.fit(source); err != nil {
		if source.err != nil {
			return nil, source.err
		}
		return nil, &Error{Err: err}
	}
	h.noteBody(&body, m.content)
	m.changes, m.key = h.changes.list(), h.key
	return m, nil
}

// noteBody notes what package message changes in the body.
func (h *header) noteBody(f *facts, c smtpclient.Content) {
	h.changes[LineEnds] = h.changes[LineEnds] || f.cr
	h.changes[LongLines] = f.long
	h.changes[Controls] = f.hasControls()
	h.changes[EightBit] = f.isEight() && !c.EightBit()
}

// fit lets package message encode what is left, in the form for any server.
func (h *header) fit(src *reader) (smtpclient.Content, error) {
	source := &joined{head: h.bytes(), body: io.NewSectionReader(src, h.body, src.size-h.body)}
	c, err := message.Raw{Fit: true, Repair: true, Undated: h.o.Undated}.Read(source)
	if !h.signed && (err != nil || c.NeedsSMTPUTF8()) && h.encodeHard() {
		source = &joined{head: h.bytes(), body: io.NewSectionReader(src, h.body, src.size-h.body)}
		c, err = message.Raw{Fit: true, Repair: true, Undated: h.o.Undated}.Read(source)
	}
	if err != nil {
		return nil, err
	}
	if seven, ok := c.SevenBit(); ok {
		return seven, nil
	}
	return c, nil
}

// joined is the repaired header and the body of the source.
type joined struct {
	head []byte
	body *io.SectionReader
	at   int64
}

func (j *joined) Read(p []byte) (int, error) {
	if j.at < int64(len(j.head)) {
		n := copy(p, j.head[j.at:])
		j.at += int64(n)
		return n, nil
	}
	n, err := j.body.ReadAt(p, j.at-int64(len(j.head)))
	j.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (j *joined) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += j.at
	case io.SeekEnd:
		offset += int64(len(j.head)) + j.body.Size()
	}
	j.at = offset
	return offset, nil
}

// Header returns the header after the repair; it is empty if the source can no longer be read.
func (m *Message) Header() message.RawHeader {
	h, _ := m.ReadHeader()
	return h
}

// ReadHeader returns the header after the repair. The error is one of the source.
func (m *Message) ReadHeader() (message.RawHeader, error) {
	if m.header != nil {
		return *m.header, nil
	}
	var head []byte
	if p, ok := m.content.(*plain); ok {
		head = p.head
	} else {
		w := &headWriter{}
		if _, err := m.WriteTo(w); err != nil && !errors.Is(err, errHead) {
			return message.RawHeader{}, err
		}
		head = w.octets
	}
	h, err := message.ReadHeader(bytes.NewReader(head), len(head)+1)
	if err == nil {
		m.header = &h
	}
	return h, err
}

var errHead = errors.New("the header is complete")

// headWriter keeps what is written up to the first empty line.
type headWriter struct{ octets []byte }

func (w *headWriter) Write(p []byte) (int, error) {
	from := max(0, len(w.octets)-3)
	w.octets = append(w.octets, p...)
	if bytes.Contains(w.octets[from:], []byte("\r\n\r\n")) {
		return len(p), errHead
	}
	return len(p), nil
}

// Recipients returns the recipients of the header before the repair, each once: those of the first
// block of Resent-To, Resent-Cc and Resent-Bcc if there is one with a recipient, else of To, Cc and Bcc.
func (m *Message) Recipients() []Recipient { return m.recipients }

// Changes returns the rules that changed something, in the order of Rules.
func (m *Message) Changes() []Change { return m.changes }

// Key returns the value of Yan-Key, "" if there is none.
func (m *Message) Key() string { return m.key }

// Size implements smtpclient.Content.
func (m *Message) Size() int64 { return m.content.Size() }

// EightBit implements smtpclient.Content: only a signed message stays in 8-bit.
func (m *Message) EightBit() bool { return m.content.EightBit() }

// NeedsSMTPUTF8 implements smtpclient.Content: UTF-8 before the @ of an address can't be encoded.
func (m *Message) NeedsSMTPUTF8() bool { return m.content.NeedsSMTPUTF8() }

// WriteTo implements smtpclient.Content.
func (m *Message) WriteTo(w io.Writer) (int64, error) { return m.content.WriteTo(w) }

// Bytes returns the whole message, for tests and short messages.
func (m *Message) Bytes() ([]byte, error) {
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	return b.Bytes(), err
}
