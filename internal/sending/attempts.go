package sending

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/smtpclient"
)

// attemptLog writes to the log which messages are about to be sent, syncs it, and then writes their
// outcomes.
type attemptLog struct {
	log    *sendlog.Log
	end    func(error) // ends the run
	marker *markahead.Marker[*Outgoing]

	writing sync.Mutex // writes no outcome before its attempt
	syncing sync.Mutex // held until the attempts are on disk
	err     error      // the first error of the log; guarded by syncing
}

func newAttemptLog(log *sendlog.Log, end func(error)) *attemptLog {
	a := &attemptLog{log: log, end: end}
	a.marker = markahead.New(markahead.Options[*Outgoing]{Commit: a.commitBatch, Target: log.Batch})
	return a
}

// queueAttempt queues the attempt of a message. It is written when the message's turn comes, or a little
// earlier.
func (a *attemptLog) queueAttempt(m *Outgoing) {
	m.inLog = false
	m.mark = a.marker.Add(m)
}

// commitBatch writes attempts and syncs the log. After the first error no further message is sent.
func (a *attemptLog) commitBatch(batch []*Outgoing) []error {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	if a.err == nil {
		if err := a.writeBatch(batch); err != nil {
			a.err = fmt.Errorf("%w: %w", ErrLog, err)
			a.end(ErrLog)
		}
	}
	if a.err == nil {
		return nil
	}
	return slices.Repeat([]error{a.err}, len(batch))
}

func (a *attemptLog) writeBatch(batch []*Outgoing) error {
	entries := make([]*sendlog.LogEntry, 0, len(batch))
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

// writeOutcome writes the outcomes of a message. Its attempt is not written afterwards.
func (a *attemptLog) writeOutcome(m *Outgoing, result yan.Result) error {
	m.mark.Done()
	a.writing.Lock()
	defer a.writing.Unlock()
	m.inLog = true
	return a.log.Settle(m.entry, m.MessageID, result.ServerID, result.Recipients)
}

// waitWritten waits until no attempt is being written, and returns the first error.
func (a *attemptLog) waitWritten() error {
	a.marker.Wait()
	a.syncing.Lock()
	defer a.syncing.Unlock()
	return a.err
}

// loggedContent is a message whose attempt is logged before its first octet is sent. Until then its
// outcome is not unknown, however long it waits for its turn.
type loggedContent struct {
	OutgoingContent
	m *Outgoing
}

func (c *loggedContent) WriteTo(w io.Writer) (int64, error) {
	if err := c.m.mark.Begin(); err != nil {
		return 0, err
	}
	return c.OutgoingContent.WriteTo(w)
}

// SevenBitForm returns the logged form for a server without 8BITMIME.
func (c *loggedContent) SevenBitForm() (smtpclient.Content, bool) {
	seven, ok := c.OutgoingContent.SevenBit()
	if !ok {
		return nil, false
	}
	return &loggedContent{OutgoingContent: seven, m: c.m}, true
}
