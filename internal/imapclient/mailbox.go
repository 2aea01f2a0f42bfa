package imapclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Mailbox is a mailbox that was logged in to, with the folder that messages are
// appended to and looked for in. It is for one goroutine at a time. Who opened it closes it.
type Mailbox struct {
	cfg    Config
	conn   *conn // nil: there is none
	folder folder
	fresh  bool // the connection was not used yet
	closed bool
	// arrived is when the copy came that the last search found.
	arrived time.Time
}

const (
	// maxSilence is the time without a word from the server from which it is asked
	// whether it is still there. Within less the connection is not lost to a
	// time-out, neither the server's (RFC 9051 section 5.4) nor that of a NAT.
	maxSilence = 5 * time.Second
	// maxNoop bounds the wait for the answer to that: a new connection is had sooner.
	maxNoop = 10 * time.Second
	// maxLogout bounds the farewell.
	maxLogout = 2 * time.Second
)

// Open connects, logs in and finds the folder. The context is for that only, as
// those of the other calls are for them. The error is an *[Error].
func Open(ctx context.Context, cfg Config) (*Mailbox, error) {
	b := &Mailbox{cfg: cfg}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	b.rest()
	return b, nil
}

// Append puts a copy of the message into the folder and gives the folder's name.
// The server is told to show date as the time of its arrival; the zero one means
// now.
//
// A connection that has ended since it was used last is replaced, once in a call
// and only before the message's first octet. The error is an *[Error]. One that
// wraps [ErrUnknown] means that the copy may be there: trying again could make a
// second one. After any other it is not there.
//
// Behind a message that was refused, or whose upload was cut, others may follow.
// After ErrUnknown, and after a connection that could not be replaced, the Mailbox
// has come to its end: Append fails with [ErrClosed] then, and asks nothing of the
// server.
func (b *Mailbox) Append(ctx context.Context, m Message, date time.Time) (folder string, err error) {
	if b.closed {
		return "", &Error{Stage: StageAppend, Err: ErrClosed}
	}
	if ctx.Err() != nil { // no reason to cut the connection
		return "", &Error{Stage: StageAppend, Err: context.Cause(ctx)}
	}
	defer b.rest()
	if b.resume(ctx) {
		// A server that hangs up on the first command would do it again.
		fresh := b.fresh
		untouched, err := b.append(m, date)
		if err == nil {
			return b.folder.name, nil
		}
		if fresh || !untouched || ctx.Err() != nil {
			return "", err
		}
	}
	if err := b.open(ctx); err != nil {
		return "", err
	}
	if _, err := b.append(m, date); err != nil {
		return "", err
	}
	return b.folder.name, nil
}

// Search looks for a message in the folder, by its Message-ID with or without angle
// brackets, and changes nothing there. found means that the header of a message
// was read and it is the one.
//
// It asks for the Message-ID with its angle brackets and without, then reads those
// of the 100 newest messages, as an index may be late. A server whose search failed is
// not believed that a message is not there, unless all of its messages were looked
// at: the error, an *[Error], says that nobody knows.
//
// That a message is not found means that none with this Message-ID is in this folder
// now. A provider may file its copy up to minutes after it took the message, some
// give it another Message-ID (provider.NewMessageID; where Microsoft keeps the first is
// looked at, in the newest messages), and its owner may have moved it.
//
// A connection that has ended since it was used last is replaced, once in a call.
// One that can't be replaced ends the Mailbox, as in [Mailbox.Append].
func (b *Mailbox) Search(ctx context.Context, messageID string) (found bool, err error) {
	s, err := b.Find(ctx, messageID)
	return s.Found, err
}

// Sighting is what a search found.
type Sighting struct {
	Found bool
	// Arrived is when the newest copy came into the folder, by the server's clock
	// (INTERNALDATE), exact to a second; zero where the server does not say.
	Arrived time.Time
}

// Find is [Mailbox.Search] that also says when the copy arrived.
func (b *Mailbox) Find(ctx context.Context, messageID string) (s Sighting, err error) {
	found, err := b.find(ctx, messageID)
	if found {
		s = Sighting{Found: true, Arrived: b.arrived}
	}
	return s, err
}

func (b *Mailbox) find(ctx context.Context, messageID string) (found bool, err error) {
	if err := checkID(messageID); err != nil {
		return false, &Error{Stage: StageSearch, Err: err}
	}
	if b.closed {
		return false, &Error{Stage: StageSearch, Err: ErrClosed}
	}
	if ctx.Err() != nil {
		return false, &Error{Stage: StageSearch, Err: context.Cause(ctx)}
	}
	defer b.rest()
	if b.resume(ctx) {
		fresh := b.fresh
		found, err := b.search(messageID)
		if err == nil || fresh || !b.conn.lost || ctx.Err() != nil || errors.Is(err, ErrMalformed) {
			return found, err
		}
	}
	if err := b.open(ctx); err != nil {
		return false, err
	}
	return b.search(messageID)
}

// search searches over the connection that there is.
func (b *Mailbox) search(messageID string) (bool, error) {
	b.fresh = false
	found, err := b.conn.search(b.folder, "<"+bare(messageID)+">")
	b.arrived = b.conn.arrived
	return found, err
}

// Close logs out. It takes no longer than two seconds; a second one does nothing.
func (b *Mailbox) Close() { b.leave(context.Background()) }

// leave is Close that the context may cut short.
func (b *Mailbox) leave(ctx context.Context) {
	b.closed = true
	if b.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxLogout)
	defer cancel()
	b.conn.attend(ctx)
	b.conn.logout()
	b.drop()
}

// resume takes up the connection again, for a call with this context, if there is
// one and it has not ended.
func (b *Mailbox) resume(ctx context.Context) bool {
	if b.conn == nil {
		return false
	}
	b.conn.attend(ctx)
	idle := b.cfg.now().Sub(b.conn.heard)
	silent := idle < 0 || idle >= maxSilence // the clock may have been set back
	return b.fresh && !silent || b.conn.stands(silent)
}

// open connects anew, logs in and finds the folder.
func (b *Mailbox) open(ctx context.Context) error {
	b.drop()
	c, found, err := enter(ctx, b.cfg)
	if err != nil {
		// A refused login that is repeated for each message locks the account.
		b.closed = ctx.Err() == nil
		return err
	}
	b.conn, b.folder, b.fresh = c, found, true
	return nil
}

// append appends over the connection that there is. untouched is as in
// conn.append.
func (b *Mailbox) append(m Message, date time.Time) (untouched bool, err error) {
	b.fresh = false
	untouched, err = b.conn.append(b.folder, m, date)
	if errors.Is(err, ErrUnknown) {
		b.closed = true
	}
	return untouched, err
}

// rest ends a call: its context has no more power over the connection, which is
// kept if it may be of use.
func (b *Mailbox) rest() {
	if c := b.conn; c != nil && (!c.release() || c.lost || !c.bye.IsZero()) {
		b.drop()
	}
}

// drop cuts the connection, if there is one.
func (b *Mailbox) drop() {
	if b.conn != nil {
		b.conn.close()
		b.conn = nil
	}
}

// Format names the server, whatever the verb: package fmt would show the password.
func (b *Mailbox) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "mailbox at %s", b.cfg.address())
}
