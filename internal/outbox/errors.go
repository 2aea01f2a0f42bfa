package outbox

import (
	"errors"
	"fmt"

	"github.com/yanmail/yan/internal/sentence"
)

// The errors that a caller tells apart.
var (
	// ErrConflict: the key is another message's.
	ErrConflict = sentence.New("another message has this key already")
	// ErrFull: too little room is left where the outbox is; nothing was kept.
	ErrFull = sentence.New("too little disk space is left for the outbox")
	// ErrBroken: an I/O error leaves the state of the disk unknown, or a file of the outbox
	// was moved or removed while it was open. The store takes nothing more; end the process
	// and start it again.
	ErrBroken = sentence.New("the outbox can't be written any more")
	// ErrUncertain: a commit failed in a way that leaves it unknown whether it was kept: the
	// disk reported an error, or the database went away and has not come back in time. A
	// message with a key can be enqueued again: that gives the same message.
	ErrUncertain = sentence.New("it is not known whether this was kept")
	// ErrCopied: the outbox is a copy of another one, which may have delivered the messages
	// in it. It delivers nothing until Adopt.
	ErrCopied = sentence.New("this outbox is a copy, and delivers nothing until it is adopted")
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

// WhyBroken gives the part of an error that says why the outbox can't be written any more,
// without the doubt about a change that was under way. That matters to who made the change,
// not to a worker that only renewed its lease. Any other error is given back as it is.
func WhyBroken(err error) error {
	if !errors.Is(err, ErrBroken) || !errors.Is(err, ErrUncertain) {
		return err
	}
	for below := []error{err}; len(below) > 0; below = below[1:] {
		switch e := below[0].(type) {
		case interface{ Unwrap() error }:
			below = append(below, e.Unwrap())
		case interface{ Unwrap() []error }:
			below = append(below, e.Unwrap()...)
		}
		if errors.Is(below[0], ErrBroken) && !errors.Is(below[0], ErrUncertain) {
			return below[0]
		}
	}
	return err
}

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
