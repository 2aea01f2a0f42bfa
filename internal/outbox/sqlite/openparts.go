package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// openParts are the files that must stay in place while an outbox is open. SQLite does not notice
// if one of them is moved or removed, and two programs that see different files overwrite each
// other's changes.
var openParts = [...]string{"", "-wal", "-shm", ".spool"}

// recordFiles records which files are open.
func (s *sqliteStore) recordFiles() error {
	for i, part := range openParts {
		info, err := os.Stat(s.path + part)
		if err != nil {
			return err
		}
		s.files[i] = info
	}
	return nil
}

// checkInPlace returns an error if one of the open files was moved or removed.
func (s *sqliteStore) checkInPlace() error {
	for i, part := range openParts {
		if s.files[i] == nil {
			continue // not everything is open yet
		}
		info, err := os.Stat(s.path + part)
		if err == nil && os.SameFile(info, s.files[i]) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.classifyError(err)
		}
		broken := localerr.Errorf("%w: %s was moved or removed while it was in use", queue.ErrBroken, s.path+part)
		s.broken.CompareAndSwap(nil, &broken)
		return *s.broken.Load()
	}
	return nil
}

// checkOrphanLog refuses to create a file next to the log of another one: SQLite deletes that log,
// and a program that has the other file open loses the data in it (findings/).
func checkOrphanLog(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	info, err := os.Lstat(path + "-wal")
	if err != nil || info.Size() == 0 {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // another process has just created it
	}
	return localerr.Errorf("the outbox %s is missing, but its log %s exists: restore the file next to it",
		path, filepath.Base(path)+"-wal")
}

// checkLog refuses an outbox that another program has open but whose log, or the log's index,
// is missing: anything written without them is lost. It first waits, because that program may
// be about to create them.
func (s *sqliteStore) checkLog() error {
	tooLong := time.NewTimer(s.harness.settling)
	defer tooLong.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		missing := ""
		for _, part := range []string{"-wal", "-shm"} {
			if _, err := os.Stat(s.path + part); errors.Is(err, fs.ErrNotExist) {
				missing = part
			}
		}
		if missing == "" || !s.harness.open(s.path) {
			return nil
		}
		select {
		case <-again.C:
		case <-tooLong.C:
			return localerr.Errorf("%w: %s was removed while another program uses the outbox: stop that program, then restart it",
				queue.ErrBroken, s.path+missing)
		}
	}
}
