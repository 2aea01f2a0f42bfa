package sending

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtpclient"
)

// attempts writes to the log which messages are about to be sent, durably, and then their
// outcomes.
type attempts struct {
	log    *sendlog.Log
	end    func(error) // ends the run
	marker *markahead.Marker[*Message]

	writing sync.Mutex // so that no outcome is written before its attempt
	syncing sync.Mutex // held until the attempts are on the disk
	err     error      // why that failed; under syncing
}

func newAttempts(log *sendlog.Log, end func(error)) *attempts {
	a := &attempts{log: log, end: end}
	a.marker = markahead.New(markahead.Options[*Message]{Commit: a.commit, Target: log.Batch})
	return a
}

// add has a message's attempt written when its turn comes, or a little ahead.
func (a *attempts) add(m *Message) {
	m.inLog = false
	m.mark = a.marker.Add(m)
}

// commit writes attempts and syncs the log. After the first error nothing is sent any more.
func (a *attempts) commit(batch []*Message) []error {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	if a.err == nil {
		if err := a.write(batch); err != nil {
			a.err = fmt.Errorf("%w: %w", ErrLog, err)
			a.end(ErrLog)
		}
	}
	if a.err == nil {
		return nil
	}
	return slices.Repeat([]error{a.err}, len(batch))
}

func (a *attempts) write(batch []*Message) error {
	entries := make([]*sendlog.Entry, 0, len(batch))
	a.writing.Lock()
	for _, m := range batch {
		if !m.inLog {
			entries = append(entries, m.entry)
		}
	}
	err := a.log.Attempt(entries...)
	a.writing.Unlock()
	if err != nil {
		return err
	}
	return a.log.Sync()
}

// settle writes the outcomes of a message; it is not attempted after that.
func (a *attempts) settle(m *Message, result yan.Result) error {
	m.mark.Done()
	a.writing.Lock()
	defer a.writing.Unlock()
	m.inLog = true
	return a.log.Settle(m.entry, m.MessageID, result.ServerID, result.Recipients)
}

// wait returns when no attempt is being written, with the first error.
func (a *attempts) wait() error {
	a.marker.Wait()
	a.syncing.Lock()
	defer a.syncing.Unlock()
	return a.err
}

// loggedContent is a message that is in the log before an octet of it reaches the wire.
// Until then it is not in doubt, however long it waits for its turn.
type loggedContent struct {
	Content
	m *Message
}

func (c *loggedContent) WriteTo(w io.Writer) (int64, error) {
	if err := c.m.mark.Begin(); err != nil {
		return 0, err
	}
	return c.Content.WriteTo(w)
}

// SevenBitForm is the same for a server without 8BITMIME.
func (c *loggedContent) SevenBitForm() (smtpclient.Content, bool) {
	seven, ok := c.Content.SevenBit()
	if !ok {
		return nil, false
	}
	return &loggedContent{Content: seven, m: c.m}, true
}
