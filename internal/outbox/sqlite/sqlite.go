// Package sqlite keeps an outbox in a SQLite file, for one machine and any number of processes
// on it.
//
// One connection writes, through a committer that lets callers share a commit (package group);
// a few others read. Committed changes are on the disk (synchronous=FULL). Bodies of more than
// 256 KiB are files in the folder path + ".spool", named by the SHA-256 of their content.
//
// [OpenToRead] opens an outbox for reading, even on a disk that can't be written.
//
// The file belongs to the outbox, which uses application_id and user_version. A program that
// uses EnqueueIn creates its own tables next to those of schema/, after the outbox is opened.
package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/group"
	"github.com/yanmail/yan/queue"
)

// Harness replaces parts of the store in tests. Its zero value replaces nothing.
type Harness struct {
	// Hook is called at each of Failpoints, by the goroutine that reaches it.
	Hook func(point string)
	// LoseCommit is called before every COMMIT of the writer. If lose is true, the commit
	// returns an error of the disk; kept is true if it is carried out all the same.
	LoseCommit func() (lose, kept bool)

	free        func(folder string) int64    // octets; -1 if unknown
	network     func(folder string) string   // the kind of a network file system, or ""
	version     string                       // of SQLite
	synchronous string                       // FULL
	patience    time.Duration                // wait for other processes that write
	poll        time.Duration                // between polls for writes of other processes
	fault       func(statement string) error // called by the writer before each statement
	here        func(path string) outboxHome // the home of an outbox
	open        func(path string) bool       // whether another process has it open
	settling    time.Duration                // time for another process to open an outbox
	sync        func(folder string) error    // syncs the names in a folder to the disk
	user        int                          // the owner of the outbox's files; 0 means this process's user
}

// Failpoints lists the points where Harness.Hook is called, in the order of an Enqueue: after
// a large body is written and synced; after the transaction has begun; after the body has its
// name, which is synced; before and after COMMIT.
func Failpoints() []string { return []string{spooled, begun, renamed, beforeCommit, afterCommit} }

const (
	spooled      = "spooled"
	begun        = "begin"
	renamed      = "renamed"
	beforeCommit = "before-commit"
	afterCommit  = "after-commit"
)

func (h Harness) withDefaults() Harness {
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
		h.here = currentHome
	}
	if h.open == nil {
		h.open = isOpen
	}
	if h.settling == 0 {
		h.settling = 5 * time.Second
	}
	if h.sync == nil {
		h.sync = atomicfile.SyncFolder
	}
	if h.user == 0 {
		h.user = os.Geteuid()
	}
	if h.fault == nil {
		h.fault = func(string) error { return nil }
	}
	return h
}

// sqliteStore is an outbox.Store.
type sqliteStore struct {
	path    string
	options outbox.Options
	harness Harness

	group    *group.Committer[*txn]
	writer   *dbConn // of the committer's goroutine
	reading  chan *dbConn
	opened   int      // number of read connections
	accounts sync.Map // name -> id, of committed accounts

	broken  atomic.Pointer[error]
	waker   waker
	quit    chan struct{}
	closing sync.Once
	closed  error

	ownClock bool // a test's clock, which measures leases, too

	files   [len(openParts)]os.FileInfo // the open files
	madeLog bool                        // the log is new, and its name may not be synced yet
	owner   *ownership                  // the owner to give new files to; nil if that is not possible
	spool   *os.Root                    // the folder of the spool
}

// Open opens the outbox at path, and creates a missing one: folders (0700) and file (0600). It
// refuses anything that could lose mail: a network file system, a disk that can't be written,
// a SQLite that is too old. The error is a *queue.NewerError if the outbox has a newer
// version.
func Open(ctx context.Context, path string, o outbox.Options) (outbox.Store, error) {
	return OpenWith(ctx, path, o, Harness{})
}

// OpenWith is Open for tests.
func OpenWith(ctx context.Context, path string, o outbox.Options, h Harness) (outbox.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newStore(o, h)
	if err := s.openForWriting(path); err != nil {
		return nil, err
	}
	return s, nil
}

func newStore(o outbox.Options, h Harness) *sqliteStore {
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
	s := &sqliteStore{options: o, ownClock: own, harness: h.withDefaults(), reading: make(chan *dbConn, readers), quit: make(chan struct{})}
	s.waker.ready = make(chan struct{})
	return s
}

func (s *sqliteStore) openForWriting(path string) (err error) {
	if s.path, err = filepath.Abs(path); err != nil {
		return err
	}
	if err := s.ownBeside(); err != nil { // files that other users may have put there
		return err
	}
	if s.path, err = prepareFile(path); err != nil {
		return localerr.Errorf("creating the outbox %s: %w", path, err)
	}
	if err := s.checkDisk(); err != nil {
		return err
	}
	if err := s.ownFiles(); err != nil {
		return err
	}
	if err := s.checkLog(); err != nil {
		return err
	}
	if s.owner, err = ownerOf(s.path); err != nil {
		return err
	}
	_, missing := os.Stat(s.path + "-wal")
	s.madeLog = missing != nil
	if s.writer, err = s.openConn("rw"); err != nil {
		return err
	}
	if err = s.migrateSchema(s.writer); err == nil {
		err = checkWritable(s.writer)
	}
	if err == nil {
		err = s.makeSpool()
	}
	if err == nil {
		err = s.ownFiles() // the log exists now, and no other user can replace it
	}
	if err == nil {
		err = s.restrictFiles()
	}
	// The writer waits in retryBusy.
	if err == nil {
		_, err = s.writer.exec("PRAGMA busy_timeout = 0")
	}
	for i := 0; i < readers && err == nil; i++ {
		var c *dbConn
		if c, err = s.openConn("rw"); err == nil {
			s.reading <- c
			s.opened++
		}
	}
	if err == nil {
		err = s.recordFiles()
	}
	if err != nil {
		return errors.Join(s.explainRefusal(err), s.closeConns())
	}
	s.group = group.New(group.Backend[*txn]{Begin: s.beginTx, Commit: s.commitTx, Rollback: s.rollbackTx})
	return nil
}

// Close stops the store's goroutines, after the work in progress.
func (s *sqliteStore) Close() error {
	s.closing.Do(func() {
		close(s.quit)
		if s.group != nil {
			s.group.Close()
		}
		s.waker.waitForPoll()
		s.closed = s.closeConns()
	})
	return s.closed
}

// closeConns closes all connections, after the readers are done.
func (s *sqliteStore) closeConns() error {
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

// now returns the time of the store's clock, in microseconds.
func (s *sqliteStore) now() int64 { return s.options.Now().UnixMicro() }

// checkUsable returns the reason why the store does nothing, or nil.
func (s *sqliteStore) checkUsable(ctx context.Context) error {
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

// writeTx runs do in a transaction that may be shared. do may be run again from its beginning,
// see group.Committer.
func (s *sqliteStore) writeTx(ctx context.Context, do func(*txn) error) error {
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	if s.group == nil {
		return errReadOnly
	}
	err := s.group.Do(ctx, func(t *txn) error { return s.classifyError(do(t)) })
	if errors.Is(err, group.ErrClosed) {
		return queue.ErrClosed
	}
	return err
}

// readTx runs look in a read transaction. Statements that can be cancelled take the context.
func (s *sqliteStore) readTx(ctx context.Context, look func(*dbConn) error) error {
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	var c *dbConn
	select {
	case c = <-s.reading:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.quit:
		return queue.ErrClosed
	}
	defer func() { s.reading <- c }()
	if _, err := c.exec("BEGIN"); err != nil {
		return s.classifyError(err)
	}
	err := look(c)
	if _, ending := c.exec("ROLLBACK"); err == nil { // nothing was written
		err = ending
	}
	return s.classifyError(err)
}

// classifyError adds the meaning to an error of SQLite or the disk; after a fault the store stays
// broken.
func (s *sqliteStore) classifyError(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err) || resultCode(err) == codeShmSize && s.harness.free(s.path) == 0:
		return localerr.Errorf("%w: %w", queue.ErrFull, err)
	case isFault(err):
		broken := localerr.Errorf("%w: %w", queue.ErrBroken, err)
		s.broken.CompareAndSwap(nil, &broken)
		return *s.broken.Load()
	}
	return err
}
