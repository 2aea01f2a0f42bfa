package outbox

import (
	"fmt"

	"github.com/yanmail/yan/internal/sentence"
)

// The errors that a caller tells apart.
var (
	// ErrConflict: the key is another message's.
	ErrConflict = sentence.New("another message has this key already")
	// ErrFull: too little room is left where the outbox is; nothing was kept.
	ErrFull = sentence.New("too little disk space is left for the outbox")
	// ErrBroken: an I/O error leaves it open what is on the disk. The store takes
	// nothing more; the process should end and begin anew.
	ErrBroken = sentence.New("the outbox can't be written any more")
	// ErrUncertain: the database went away in the middle of a commit and has not come
	// back in time, so that nobody knows whether it was kept. Of a message with a key one
	// finds out by enqueueing it again.
	ErrUncertain = sentence.New("the database went away before it answered: whether this was kept is not known")
	// ErrNotFound: there is no such message.
	ErrNotFound = sentence.New("there is no such message in the outbox")
	// ErrNoBody: the text of the message is gone, or its file is missing.
	ErrNoBody = sentence.New("the text of the message is not in the outbox")
	// ErrLapsed: the worker's lease ended before it was renewed, and others may have
	// what it had.
	ErrLapsed = sentence.New("the lease on the messages has ended")
	// ErrClosed: the store is closed.
	ErrClosed = sentence.New("the outbox is closed")
)

// NewerError: a newer program made the outbox what it is.
type NewerError struct{ Has, Knows int }

// Error says both versions.
func (e *NewerError) Error() string { return e.said().Error() }

// Unwrap is what Error says, for other languages.
func (e *NewerError) Unwrap() error { return e.said() }

func (e *NewerError) said() error {
	return sentence.Errorf("the outbox has version %d, and this program knows up to %d: a newer yan has used it", e.Has, e.Knows)
}

// MoveError: what was asked for can't be done in this state.
type MoveError struct {
	ID   ID
	N    int
	From State
	Verb Verb
}

// Error names the recipient by its message.
func (e *MoveError) Error() string {
	return fmt.Sprintf("message %d: %s is not possible for a recipient that is %s", e.ID, e.Verb, e.From)
}
