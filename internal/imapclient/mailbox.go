package imapclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Mailbox is a logged-in connection to a mailbox and its folder for append and
// search. It is not safe for concurrent use. The caller must close it.
type Mailbox struct {
	cfg    Config
	conn   *imapConn // nil: no connection
	folder listedFolder
	fresh  bool // the connection has not been used yet
	closed bool
	// arrived is when the copy found by the last search arrived.
	arrived time.Time
}

const (
	// maxSilence is the idle time after which the server is asked whether it is
	// still there. Shorter than this, no connection is lost to a timeout,
	// neither the server's (RFC 9051 section 5.4) nor a NAT's.
	maxSilence = 5 * time.Second
	// maxNoop limits the wait for that answer: a new connection takes less
	// time.
	maxNoop = 10 * time.Second
	// maxLogout limits the wait for the answer to LOGOUT.
	maxLogout = 2 * time.Second
)

// Open connects, logs in and finds the folder. ctx applies to this call only,
// as in the other methods. The error is an *[Error].
func Open(ctx context.Context, cfg Config) (*Mailbox, error) {
	b := &Mailbox{cfg: cfg}
	if err := b.openConn(ctx); err != nil {
		return nil, err
	}
	b.endCall()
	return b, nil
}

// Append saves a copy of the message in the folder and returns the folder's
// name. date becomes the message's time of arrival; zero means now.
//
// A connection that has ended since its last use is replaced, once per call and
// only before the message's first octet. The error is an *[Error]. If it wraps
// [ErrUnknown], the copy may have been saved, and another try could make a
// second one. After any other error it was not saved.
//
// After a message that was refused, or whose upload was cut, others may follow.
// After ErrUnknown, and if a connection can't be replaced, the Mailbox has
// ended: Append fails with [ErrClosed] without contacting the server.
func (b *Mailbox) Append(ctx context.Context, m Message, date time.Time) (folder string, err error) {
	if b.closed {
		return "", &Error{Stage: StageAppend, Err: ErrClosed}
	}
	if ctx.Err() != nil { // no reason to cut the connection
		return "", &Error{Stage: StageAppend, Err: context.Cause(ctx)}
	}
	defer b.endCall()
	if b.resumeConn(ctx) {
		// A server that closes the connection at the first command would do it
		// again.
		fresh := b.fresh
		untouched, err := b.append(m, date)
		if err == nil {
			return b.folder.name, nil
		}
		if fresh || !untouched || ctx.Err() != nil {
			return "", err
		}
	}
	if err := b.openConn(ctx); err != nil {
		return "", err
	}
	if _, err := b.append(m, date); err != nil {
		return "", err
	}
	return b.folder.name, nil
}

// Search looks for a message in the folder by its Message-ID, with or without
// angle brackets, and changes nothing there. found means that the header of a
// message was read and matches.
//
// It searches for the Message-ID with and without its angle brackets, then
// reads the Message-IDs of the 100 newest messages, because an index may lag.
// If the server's search failed, "not found" is returned only if all messages
// of the folder were read; otherwise the error, an *[Error], reports that it is
// unknown.
//
// Not found means that no message with this Message-ID is in this folder now. A
// provider may save its copy minutes after it accepted the message, some
// replace its Message-ID (provider.NewMessageID; Microsoft's header with the
// original one is checked, in the newest messages), and the user may have moved
// it.
//
// A connection that has ended since its last use is replaced, once per call. If
// it can't be replaced, the Mailbox ends, as in [Mailbox.Append].
func (b *Mailbox) Search(ctx context.Context, messageID string) (found bool, err error) {
	s, err := b.Find(ctx, messageID)
	return s.Found, err
}

// SearchResult is the result of a search.
type SearchResult struct {
	Found bool
	// Arrived is when the newest copy arrived in the folder, by the server's
	// clock (INTERNALDATE), to the second; zero if the server does not say.
	Arrived time.Time
}

// Find is [Mailbox.Search] and also returns when the copy arrived.
func (b *Mailbox) Find(ctx context.Context, messageID string) (s SearchResult, err error) {
	found, err := b.find(ctx, messageID)
	if found {
		s = SearchResult{Found: true, Arrived: b.arrived}
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
	defer b.endCall()
	if b.resumeConn(ctx) {
		fresh := b.fresh
		found, err := b.search(messageID)
		if err == nil || fresh || !b.conn.lost || ctx.Err() != nil || errors.Is(err, ErrMalformed) {
			return found, err
		}
	}
	if err := b.openConn(ctx); err != nil {
		return false, err
	}
	return b.search(messageID)
}

// search searches over the current connection.
func (b *Mailbox) search(messageID string) (bool, error) {
	b.fresh = false
	found, err := b.conn.search(b.folder, "<"+bareID(messageID)+">")
	b.arrived = b.conn.arrived
	return found, err
}

// Close logs out, in at most two seconds. It may be called twice.
func (b *Mailbox) Close() { b.logoutWithin(context.Background()) }

// logoutWithin is Close with a context.
func (b *Mailbox) logoutWithin(ctx context.Context) {
	b.closed = true
	if b.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxLogout)
	defer cancel()
	b.conn.watchContext(ctx)
	b.conn.logout()
	b.dropConn()
}

// resumeConn reports whether the current connection can be used for a call with
// this context.
func (b *Mailbox) resumeConn(ctx context.Context) bool {
	if b.conn == nil {
		return false
	}
	b.conn.watchContext(ctx)
	idle := b.cfg.now().Sub(b.conn.heard)
	silent := idle < 0 || idle >= maxSilence // the clock may have been set back
	return b.fresh && !silent || b.conn.isAlive(silent)
}

// openConn connects again, logs in and finds the folder.
func (b *Mailbox) openConn(ctx context.Context) error {
	b.dropConn()
	c, found, err := loginToFolder(ctx, b.cfg)
	if err != nil {
		// Repeating a refused login for each message would lock the account.
		b.closed = ctx.Err() == nil
		return err
	}
	b.conn, b.folder, b.fresh = c, found, true
	b.cfg.smallHello = c.cfg.smallHello
	return nil
}

// append appends over the current connection. untouched is as in conn.append.
func (b *Mailbox) append(m Message, date time.Time) (untouched bool, err error) {
	b.fresh = false
	untouched, err = b.conn.append(b.folder, m, date)
	if errors.Is(err, ErrUnknown) {
		b.closed = true
	}
	return untouched, err
}

// endCall ends a call: its context no longer affects the connection, which is kept
// if it is still usable.
func (b *Mailbox) endCall() {
	if c := b.conn; c != nil && (!c.release() || c.lost || !c.bye.IsZero()) {
		b.dropConn()
	}
}

// dropConn closes the connection, if there is one.
func (b *Mailbox) dropConn() {
	if b.conn != nil {
		b.conn.close()
		b.conn = nil
	}
}

// Format prints the server only: package fmt would print the password.
func (b *Mailbox) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "mailbox at %s", b.cfg.address())
}
