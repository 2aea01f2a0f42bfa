package sending

import (
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Outgoing is one message of a run, with its envelope.
type Outgoing struct {
	File   string // the file it came from; "" for a composed message
	Number int    // its place in an mbox file, from 1; otherwise 0
	// Source opens the message again; nil for a composed message and for one that can be read only
	// once, such as standard input.
	Source *mailfiles.MessageRef
	// Content is the open message. If there is a Source it may be nil: the run opens it when its
	// turn comes, and closes it.
	Content OutgoingContent
	// Composed is the message that Content was composed from, before the account introduced it; nil
	// for a whole message. Another account sends it in its own name, and replies go to ReplyTo.
	Composed *message.Message
	ReplyTo  []string

	Envelope  smtp.Envelope
	Size      int64
	MessageID string

	// Hash identifies the message in the log. FormerHash is the hash that older versions of yan
	// wrote; zero if it is the same.
	Hash, FormerHash sendlog.Hash

	// date is the date of the first attempt, for a message without a date; zero without a log.
	date time.Time
	// entry is the message in the log, with the recipients that are sent to in this round.
	entry *sendlog.LogEntry
	// decided holds, by recipient, the outcome of an earlier run or account; its Status is "" for
	// recipients that are sent to in this round. It is nil if all of them are.
	decided []smtp.Outcome
	// via holds, by recipient, the account of this run that decided.
	via []*SentAs
	// earlier is the outcome of the recipients that wait, or waited, for the next account; nil if
	// there is none.
	earlier   *earlierResult
	insteadOf []Handover
	// copies are saved when the message is reported.
	copies []dueCopy

	// reported is set after the message was reported or left to the caller; waits while it waits
	// for the next account; taken when the transport took it; failed if it could not be opened.
	reported, waits, taken, failed bool

	mark *markahead.Mark[*Outgoing]
	// inLog is set when the outcome of this round is in the log.
	inLog bool
}

// earlierResult is the outcome at an account. It is final if no other account takes over.
type earlierResult struct {
	result yan.Result // of the waiting recipients
	as     SentAs
}

// OutgoingContent is a message that is ready to be sent: a [message.Content] or a
// [mailfiles.OpenContent].
type OutgoingContent interface {
	Size() int64
	EightBit() bool
	NeedsSMTPUTF8() bool
	io.WriterTo
	io.Closer
	MessageID() string
	From() (smtp.Address, error)
	Recipients() ([]smtp.Address, error)
	Fingerprint() ([sha256.Size]byte, error)
	FormerFingerprint() ([sha256.Size]byte, bool, error)
	SevenBit() (*message.Content, bool)
	Redate(time.Time)
}

var (
	_ OutgoingContent = (*message.Content)(nil)
	_ OutgoingContent = (*mailfiles.OpenContent)(nil)
)

// errReadOnce is the error of opening a message from standard input again.
var errReadOnce = errors.New("the message can be read once only")

// Open opens the message unless it is open. It fails if the file has changed since it was hashed.
func (m *Outgoing) Open() error {
	if m.Content != nil {
		return nil
	}
	if m.Source == nil {
		return errReadOnce
	}
	c, err := m.Source.Open()
	if err != nil {
		return err
	}
	if !m.Hash.IsZero() { // only the logged message may be sent
		sum, err := c.Fingerprint()
		if err == nil && sendlog.Hash(sum) != m.Hash {
			err = mailfiles.ErrChanged
		}
		if err != nil {
			_ = c.Close() // report err instead
			return err
		}
	}
	m.Content = c
	m.setDate()
	return nil
}

// setDate sets the date of the first attempt in a message that has no date.
func (m *Outgoing) setDate() {
	if m.Content != nil && !m.date.IsZero() {
		m.Content.Redate(m.date)
		m.MessageID = m.Content.MessageID()
	}
}

// Close closes the content, if it is open. It ignores errors: they concern temporary files only.
func (m *Outgoing) Close() {
	if m.Content != nil {
		_ = m.Content.Close()
		m.Content = nil
	}
}

// Discard closes the content and drops the copies that are not saved yet.
func (m *Outgoing) Discard() {
	m.Close()
	m.dropCopies()
}

// dropCopies closes the copies that are not saved yet.
func (m *Outgoing) dropCopies() {
	for _, c := range m.copies {
		if c.content != nil {
			_ = c.content.Close() // an error could only be about temporary files
		}
	}
	m.copies = nil
}
