package queue

import (
	"fmt"

	"github.com/yanmail/yan/internal/localerr"
)

var (
	// ErrConflict: another message of the account has this key.
	ErrConflict = localerr.New("another message already has this key")
	// ErrFull: too little disk space is left; nothing was kept.
	ErrFull = localerr.New("not enough disk space for the outbox")
	// ErrBroken: an I/O error left the state of the disk unknown, or a file of the outbox
	// was moved or removed while it was open. The outbox takes nothing more: end the process
	// and start it again.
	ErrBroken = localerr.New("the outbox can no longer be written")
	// ErrUncertain: a commit failed in a way that leaves it unknown whether the change was
	// kept: the disk reported an error, or the connection to the database was lost and not
	// restored in time. It may come together with ErrBroken. Enqueue a message again with
	// the same key: it is never kept twice.
	ErrUncertain = localerr.New("it is unknown whether this was saved")
	// ErrCopied: the outbox is a copy of another one, which may have delivered the messages
	// in it. It delivers nothing until 'yan queue adopt'.
	ErrCopied = localerr.New("this outbox is a copy and delivers nothing until it is adopted")
	// ErrNotFound: there is no such message.
	ErrNotFound = localerr.New("no such message in the outbox")
	// ErrNoBody: the body of the message has been removed, or its file is missing.
	ErrNoBody = localerr.New("the content of the message is not in the outbox")
	// ErrClosed: the outbox is closed.
	ErrClosed = localerr.New("the outbox is closed")
)

// NewerError: a newer program has changed the outbox to a version that this one does not
// know.
type NewerError struct {
	Has   int // the version of the outbox
	Knows int // the newest version that this program knows
}

// Error says both versions.
func (e *NewerError) Error() string { return e.asSentence().Error() }

// Unwrap returns the same text as an error that can be translated.
func (e *NewerError) Unwrap() error { return e.asSentence() }

func (e *NewerError) asSentence() error {
	return localerr.Errorf("the outbox has version %d, but this program supports versions up to %d: a newer yan has used it", e.Has, e.Knows)
}

// StateError: a change is not possible in the state of a recipient.
type StateError struct {
	ID   ID
	N    int   // the place of the recipient in the envelope
	From State // its state
	Verb Verb  // the change
}

// Error names the message, the change and the state.
func (e *StateError) Error() string {
	return fmt.Sprintf("message %d: %s is not possible for a recipient that is %s", e.ID, e.Verb, e.From)
}
