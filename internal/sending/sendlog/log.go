package sendlog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/files/filelock"
	"github.com/yanmail/yan/smtp"
)

// Errors of a log, besides system errors.
var (
	// ErrBusy means that another process writes the log.
	ErrBusy = errors.New("another process writes this log")
	// ErrForeign means that the file is not a log.
	ErrForeign = errors.New("the file is no log of messages sent")
	// ErrNotRegular means that the file is a pipe, a device, a directory or a link.
	ErrNotRegular = errors.New("not a regular file")
	// ErrUntrusted means that another user owns or can write the log, which decides what is not
	// resent.
	ErrUntrusted = errors.New("other users can change this log")
)

// VersionError reports a log in another version of the format.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the log is of version %d, and this program knows version %d", e.Version, version)
}

// DamageError reports an invalid line that is not the last.
type DamageError struct {
	Line int // from 1
	Err  error
}

func (e *DamageError) Error() string { return fmt.Sprintf("line %d is damaged: %v", e.Line, e.Err) }
func (e *DamageError) Unwrap() error { return e.Err }

// Log is an open log. It is safe for concurrent use.
type Log struct {
	file   *os.File
	now    func() time.Time
	states map[RecipientKey]recipientState
	dates  map[Hash]time.Time
	cut    int64

	mu     sync.Mutex
	err    error // the first failure; nothing is written after it
	batch  int
	synced time.Time // end of the last Sync
}

// RecipientKey identifies a recipient of a message.
type RecipientKey struct {
	Hash      Hash
	Recipient string // its Address.Wire
	Copy      int    // from 1, among messages of the same octets to the same recipient
}

// Open opens or creates a log with mode 0600, and locks it against other processes until Close. It
// follows no link. now is the clock of the lines, usually time.Now.
func Open(path string, now func() time.Time) (*Log, error) {
	// With noFollow the system refuses links itself; elsewhere this check does.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, ErrNotRegular // opening a pipe might block forever
	}
	// Not O_APPEND: on Windows such a file can't be truncated. Only one process writes.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := checkOwn(path, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &Log{file: f, now: now, states: map[RecipientKey]recipientState{}, dates: map[Hash]time.Time{}, batch: 1}
	if err := l.prepare(path); err != nil {
		_ = f.Close() // err is the error to return
		return nil, err
	}
	return l, nil
}

// keepToSelf removes other users' permissions.
func (l *Log) keepToSelf() error {
	info, err := l.file.Stat()
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return l.file.Chmod(0o600)
}

// checkOwn checks that the opened file is one that no other user can have written.
func checkOwn(path string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return ErrNotRegular
	}
	err = atomicfile.Trusted(path, info)
	untrusted, ok := errors.AsType[*atomicfile.UntrustedError](err)
	empty := ok && !untrusted.Folder && untrusted.Reason == atomicfile.OthersWrite && info.Size() == 0 // another user may write it, but it is empty so far
	switch {
	case ok && !empty:
		return ErrUntrusted
	case err != nil && !empty:
		return err
	}
	return nil
}

func (l *Log) prepare(path string) error {
	switch ok, err := filelock.Try(l.file); {
	case err != nil:
		return fmt.Errorf("locking it: %w", err)
	case !ok:
		return ErrBusy
	}
	size, err := l.load()
	if err != nil {
		return err
	}
	if err := l.keepToSelf(); err != nil { // it is a log, or will be one
		return err
	}
	if l.cut > 0 {
		if err := l.file.Truncate(size); err != nil {
			return err
		}
	}
	if _, err := l.file.Seek(size, 0); err != nil {
		return err
	}
	if size > 0 {
		return nil
	}
	if err := l.write(Line{Event: eventLog, Version: version, Time: l.now().UTC().Truncate(time.Millisecond)}); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	_ = atomicfile.SyncFolder(filepath.Dir(path)) // on failure the file system does it later
	return nil
}

// CutOff returns the number of octets after the last complete line that Open ignored: a line that
// was being written when the machine stopped.
func (l *Log) CutOff() int64 { return l.cut }

// State returns a recipient's outcome in earlier runs. For an accepted one, only the status is
// kept. The outcome lacks the recipient; ok is false if the log has neither an attempt nor an
// outcome.
func (l *Log) State(k RecipientKey) (o smtp.Outcome, ok bool) {
	s, ok := l.states[k]
	return s.outcome(), ok
}

// Date returns LogEntry.Date of the first attempt at a message; zero if there is none.
func (l *Log) Date(h Hash) time.Time { return l.dates[h] }

// LogEntry is a message of a run with all or some of its recipients.
type LogEntry struct {
	Hash   Hash
	File   string
	Number int // in an mbox file, from 1
	From   smtp.Address
	// Date is the date added to a message without one; zero for others.
	Date time.Time
	To   []smtp.Address
	// Copies has RecipientKey.Copy for each of To.
	Copies []int
}

func (e *LogEntry) line(event string, at time.Time) Line {
	return Line{Event: event, Time: at.UTC().Truncate(time.Millisecond), SHA256: e.Hash, File: e.File, Number: e.Number, From: e.From.String()}
}

// Attempt records that messages are about to be sent. The record is durable once Sync has returned.
func (l *Log) Attempt(entries ...*LogEntry) error {
	lines := make([]Line, len(entries))
	for i, e := range entries {
		lines[i] = e.line(eventAttempt, l.now())
		lines[i].Date = e.Date
		for j, to := range e.To {
			lines[i].Recipients = append(lines[i].Recipients, LineRecipient{Address: to.String(), Copy: omitFirst(e.Copies[j])})
		}
	}
	return l.write(lines...)
}

// Sync waits until all lines written so far are on disk. Lines may be written in the meantime.
func (l *Log) Sync() error {
	began := l.now()
	if err := l.recordFailure(nil); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return l.recordFailure(err)
	}
	l.adaptBatch(began)
	return nil
}

// Settle records the outcomes of a message's recipients, in the entry's order. It does not wait for
// the disk.
func (l *Log) Settle(e *LogEntry, messageID, serverID string, outcomes []smtp.Outcome) error {
	line := e.line(eventOutcome, l.now())
	line.MessageID, line.ServerID = messageID, serverID
	for i, o := range outcomes {
		r := recipientOf(o)
		r.Copy = omitFirst(e.Copies[i])
		line.Recipients = append(line.Recipients, r)
	}
	return l.write(line)
}

// Bad records a skipped message and the problem. It changes the state of no recipient.
func (l *Log) Bad(file string, number int, problem string) error {
	return l.write(Line{Event: eventBad, Time: l.now().UTC().Truncate(time.Millisecond), File: file, Number: number, Error: problem})
}

func omitFirst(copy int) int {
	if copy == 1 {
		return 0
	}
	return copy
}

// maxBatch limits how many unsent messages may be in doubt after a crash.
const maxBatch = 32

// Batch returns how many messages should be attempted before the next Sync: as few as keep the wait
// for the disk a small part of the sending time. Messages attempted and not yet sent when the
// machine stops are in doubt, too.
func (l *Log) Batch() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batch
}

// adaptBatch keeps the time spent waiting for the disk between a fortieth and a tenth.
func (l *Log) adaptBatch(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := l.now()
	waited, between := ended.Sub(began), ended.Sub(l.synced)
	switch {
	case l.synced.IsZero():
	case waited*10 > between:
		l.batch = min(l.batch*2, maxBatch)
	case waited*40 < between:
		l.batch = max(l.batch/2, 1)
	}
	l.synced = ended
}

// write appends lines in one write.
func (l *Log) write(lines ...Line) error {
	var b bytes.Buffer
	for _, line := range lines {
		if err := line.encode(&b); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if _, err := l.file.Write(b.Bytes()); err != nil {
		// Part of a line may have been written: nothing may follow it.
		l.err = withoutPath(err)
	}
	return l.err
}

// recordFailure records the first failure and returns it.
func (l *Log) recordFailure(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && err != nil {
		l.err = withoutPath(err)
	}
	return l.err
}

// withoutPath removes the path, which the caller reports.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Close syncs and unlocks the log. It returns the first failure of all.
func (l *Log) Close() error {
	if err := l.file.Sync(); err != nil {
		_ = l.recordFailure(err)
	}
	if err := l.file.Close(); err != nil {
		_ = l.recordFailure(err)
	}
	return l.recordFailure(nil)
}
