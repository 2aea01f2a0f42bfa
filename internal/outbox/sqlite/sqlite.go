// Package sqlite keeps an outbox in a SQLite file, for one machine and any number
// of processes on it.
//
// One connection writes, behind a committer that lets callers share a commit
// (package group); a few others read. What is committed is on the disk
// (synchronous=FULL). Bodies of more than 256 KiB stand in the folder path +
// ".spool", in files that are named by what is in them.
//
// [OpenToRead] looks at an outbox, on a disk that can't be written too.
//
// The file is the outbox's: it uses application_id and user_version. A program that
// wants EnqueueIn makes its own tables beside those of schema/, once the outbox is
// open.
package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/group"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/queue"
)

// Harness is what tests put in the place of parts of the store. Its zero value is
// the real one.
type Harness struct {
	// Hook is called at each of Failpoints, by the goroutine that is there.
	Hook func(point string)
	// LoseCommit is asked before every COMMIT of the writer. If lose is true, the disk
	// answers with an error; kept is whether the commit has been carried out all the same.
	LoseCommit func() (lose, kept bool)

	free        func(folder string) int64    // octets; -1 where that is not known
	network     func(folder string) string   // the kind of a network file system, or ""
	version     string                       // of SQLite
	synchronous string                       // FULL
	patience    time.Duration                // with other processes that write
	poll        time.Duration                // between looks at what other processes wrote
	fault       func(statement string) error // before it is carried out, by the writer
	here        func(path string) home       // where an outbox lives
	open        func(path string) bool       // by another process
	settling    time.Duration                // that another process may take to open an outbox
	sync        func(folder string) error    // has the disk keep the names in a folder
	user        int                          // whose files are the outbox's; 0 means this process's
}

// Failpoints lists where Harness.Hook is called, in the order of an Enqueue: a large
// body is written and synced; the transaction has begun; the body has its name, which
// is synced; before and after COMMIT.
func Failpoints() []string { return []string{spooled, begun, renamed, beforeCommit, afterCommit} }

const (
	spooled      = "spooled"
	begun        = "begin"
	renamed      = "renamed"
	beforeCommit = "before-commit"
	afterCommit  = "after-commit"
)

func (h Harness) filled() Harness {
	if h.Hook == nil {
		h.Hook = func(string) {}
	}
	if h.free == nil {
		h.free = free
	}
	if h.network == nil {
		h.network = network
	}
	if h.synchronous == "" {
		h.synchronous = "FULL"
	}
	if h.patience == 0 {
		h.patience = 30 * time.Second
	}
	if h.poll == 0 {
		h.poll = 100 * time.Millisecond
	}
	if h.here == nil {
		h.here = here
	}
	if h.open == nil {
		h.open = isOpen
	}
	if h.settling == 0 {
		h.settling = 5 * time.Second
	}
	if h.sync == nil {
		h.sync = wholefile.SyncFolder
	}
	if h.user == 0 {
		h.user = os.Geteuid()
	}
	if h.fault == nil {
		h.fault = func(string) error { return nil }
	}
	return h
}

// store is an outbox.Store.
type store struct {
	path    string
	options outbox.Options
	harness Harness

	group    *group.Committer[*txn]
	writer   *conn // of the committer's goroutine
	reading  chan *conn
	opened   int      // how many there are
	accounts sync.Map // name -> id, of those that are committed

	broken  atomic.Pointer[error]
	waker   waker
	quit    chan struct{}
	closing sync.Once
	closed  error

	ownClock bool // of a test: it measures leases, too

	files   [len(parts)]os.FileInfo // that are open
	madeLog bool                    // the log is new, and its name may not be on the disk
	owner   *ownership              // whose the files are, where this process may give them away
	spool   *os.Root                // the folder
}

// Open opens the outbox at path and makes it when there is none, folders (0700) and
// file (0600). It refuses what could lose mail: a network file system, a disk that
// can't be written, a SQLite that is too old. The error is *queue.NewerError for an
// outbox of a newer version.
func Open(ctx context.Context, path string, o outbox.Options) (outbox.Store, error) {
	return OpenWith(ctx, path, o, Harness{})
}

// OpenWith is Open for tests.
func OpenWith(ctx context.Context, path string, o outbox.Options, h Harness) (outbox.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newStore(o, h)
	if err := s.open(path); err != nil {
		return nil, err
	}
	return s, nil
}

func newStore(o outbox.Options, h Harness) *store {
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.InlineBytes == 0 {
		o.InlineBytes = 256 << 10
	}
	own := o.Now != nil
	if !own {
		o.Now = time.Now
	}
	s := &store{options: o, ownClock: own, harness: h.filled(), reading: make(chan *conn, readers), quit: make(chan struct{})}
	s.waker.ready = make(chan struct{})
	return s
}

func (s *store) open(path string) (err error) {
	if s.path, err = filepath.Abs(path); err != nil {
		return err
	}
	if err := s.ownBeside(); err != nil { // what others have put there before
		return err
	}
	if s.path, err = place(path); err != nil {
		return sentence.Errorf("making the outbox %s: %w", path, err)
	}
	if err := s.checkDisk(); err != nil {
		return err
	}
	if err := s.ownFiles(); err != nil {
		return err
	}
	if err := s.logIsOpen(); err != nil {
		return err
	}
	if s.owner, err = ownerOf(s.path); err != nil {
		return err
	}
	_, missing := os.Stat(s.path + "-wal")
	s.madeLog = missing != nil
	if s.writer, err = s.connect("rw"); err != nil {
		return err
	}
	if err = s.migrate(s.writer); err == nil {
		err = writable(s.writer)
	}
	if err == nil {
		err = s.makeSpool()
	}
	if err == nil {
		err = s.ownFiles() // the log is there now, and nobody can put another one there
	}
	if err == nil {
		err = s.closeFiles()
	}
	// The writer waits by itself, for as long as it likes.
	if err == nil {
		_, err = s.writer.exec("PRAGMA busy_timeout = 0")
	}
	for i := 0; i < readers && err == nil; i++ {
		var c *conn
		if c, err = s.connect("rw"); err == nil {
			s.reading <- c
			s.opened++
		}
	}
	if err == nil {
		err = s.remember()
	}
	if err != nil {
		return errors.Join(s.refusal(err), s.disconnect())
	}
	s.group = group.New(group.Backend[*txn]{Begin: s.begin, Commit: s.commit, Rollback: s.rollback})
	return nil
}

// Close ends the store's goroutines. What is under way is finished first.
func (s *store) Close() error {
	s.closing.Do(func() {
		close(s.quit)
		if s.group != nil {
			s.group.Close()
		}
		s.waker.wait()
		s.closed = s.disconnect()
	})
	return s.closed
}

// disconnect waits for those that read.
func (s *store) disconnect() error {
	var errs []error
	for ; s.opened > 0; s.opened-- {
		errs = append(errs, (<-s.reading).close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.spool != nil {
		errs = append(errs, s.spool.Close())
	}
	return errors.Join(errs...)
}

// now is the store's clock, in microseconds.
func (s *store) now() int64 { return s.options.Now().UnixMicro() }

// usable gives the reason why nothing is done.
func (s *store) usable(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case <-s.quit:
		return queue.ErrClosed
	default:
	}
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// write carries something out in a transaction that may be shared. It may be carried
// out again from the beginning, see group.Committer.
func (s *store) write(ctx context.Context, do func(*txn) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.group == nil {
		return errReadOnly
	}
	err := s.group.Do(ctx, func(t *txn) error { return s.judge(do(t)) })
	if errors.Is(err, group.ErrClosed) {
		return queue.ErrClosed
	}
	return err
}

// read looks at one moment of the outbox. Statements that are to be called off
// take the context.
func (s *store) read(ctx context.Context, look func(*conn) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	var c *conn
	select {
	case c = <-s.reading:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.quit:
		return queue.ErrClosed
	}
	defer func() { s.reading <- c }()
	if _, err := c.exec("BEGIN"); err != nil {
		return s.judge(err)
	}
	err := look(c)
	if _, ending := c.exec("ROLLBACK"); err == nil { // nothing was written
		err = ending
	}
	return s.judge(err)
}

// judge tells by an error of SQLite or of the disk whether anything works behind it.
func (s *store) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err) || code(err) == codeShmSize && s.harness.free(s.path) == 0:
		return sentence.Errorf("%w: %w", queue.ErrFull, err)
	case isFault(err):
		broken := sentence.Errorf("%w: %w", queue.ErrBroken, err)
		s.broken.CompareAndSwap(nil, &broken)
		return *s.broken.Load()
	}
	return err
}
