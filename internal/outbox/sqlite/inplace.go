package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/queue"
)

// parts are the files that have to stay where they are while an outbox is open: SQLite
// itself does not notice when one of them is moved or removed, and two programs that see
// different ones overwrite what the other has written.
var parts = [...]string{"", "-wal", "-shm", ".spool"}

// remember notes which files are open.
func (s *store) remember() error {
	for i, part := range parts {
		info, err := os.Stat(s.path + part)
		if err != nil {
			return err
		}
		s.files[i] = info
	}
	return nil
}

// inPlace makes sure that they are where they were.
func (s *store) inPlace() error {
	for i, part := range parts {
		if s.files[i] == nil {
			continue // it is not all open yet
		}
		info, err := os.Stat(s.path + part)
		if err == nil && os.SameFile(info, s.files[i]) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.judge(err)
		}
		broken := sentence.Errorf("%w: %s was moved or removed while it was in use", queue.ErrBroken, s.path+part)
		s.broken.CompareAndSwap(nil, &broken)
		return *s.broken.Load()
	}
	return nil
}

// leftAlone refuses a new file beside the log of another one: SQLite deletes that log,
// and whoever has the other one open loses what is in it (findings/).
func leftAlone(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	info, err := os.Lstat(path + "-wal")
	if err != nil || info.Size() == 0 {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // another process has just made it
	}
	return sentence.Errorf("the outbox %s is not there, but its log %s is: put the file back to its place beside it",
		path, filepath.Base(path)+"-wal")
}

// logIsOpen refuses an outbox that others have open whose log, or its index, is gone: what
// is written without them is lost. Others may be about to make them.
func (s *store) logIsOpen() error {
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
			return sentence.Errorf("%w: %s was removed while another program uses the outbox: end that program, then start it again",
				queue.ErrBroken, s.path+missing)
		}
	}
}
