package dropfolder

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/yanmail/yan/internal/intake/peeruser"
)

// Message is a message of the folder.
type Message struct {
	// Name is the name of its file.
	Name string
	// Owner is the owner of the file, who is the sender.
	Owner peeruser.User
	Envelope
	// Body yields the octets of the message once. Its owner can change them while they are read.
	Body io.Reader
}

// Options configure a Reader.
type Options struct {
	// Dir is the folder.
	Dir string
	// Accept commits a message to the outbox. Afterwards the file is removed. After an error that
	// Permanent reports, the file is kept under another name and tried again after Retry; after any
	// other error it is tried again later. Accept may get a message twice: it must recognize it by
	// its owner and Key, if the machine stopped between the commit and the removal.
	Accept func(context.Context, Message) error
	// Permanent reports that an error of Accept stays the same until the configuration changes;
	// nil means never.
	Permanent func(error) bool
	// Log gets what was refused; nil means none. It gets no address and no text of a message.
	Log *slog.Logger
	// Now is the clock, and After a timer; nil means those of package time.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

func (o Options) withDefaults() Options {
	if o.Permanent == nil {
		o.Permanent = func(error) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	return o
}

// Found is what a Scan found.
type Found struct {
	// Accepted counts the messages that were committed, Deferred those whose Accept failed for
	// now, Refused those it refused for good.
	Accepted, Deferred, Refused int
	// Odd counts the files that are no messages, and that the folder keeps.
	Odd int
}

// How often Watch looks.
const (
	glance   = time.Second      // whether the folder has changed
	later    = 10 * time.Second // after a failure
	whole    = 5 * time.Minute  // in any case
	settling = 2 * time.Second  // a change may be followed by others with the same time
)

// tempAge is when a file that is being written is abandoned: its writer was killed.
const tempAge = 24 * time.Hour
