package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
)

// OpenToRead opens an outbox for reading: List, Show, Stats, Events, Due, Unreported and Body
// work, and every change is an error. It creates nothing. The disk may be read-only if the
// outbox was closed properly, or if a program that can write it has it open.
func OpenToRead(ctx context.Context, path string, o outbox.Options) (outbox.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newStore(o, Harness{}) // without a committer: nothing is written
	if err := s.openToRead(path); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *sqliteStore) openToRead(path string) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if s.path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	if err := s.eachFile(checkRegular, append([]string{""}, sidecarSuffixes[:]...)...); err != nil {
		return err // a pipe would block
	}
	if err := s.checkDisk(); err != nil {
		return err
	}
	mode, err := s.readingMode()
	for i := 0; i < readers && err == nil; i++ {
		var c *dbConn
		if c, err = s.openConn(mode); err == nil {
			s.reading <- c
			s.opened++
		}
	}
	if err != nil {
		return errors.Join(err, s.closeConns())
	}
	return nil
}

// readingMode finds out how the file can be read, and whether it is an outbox. If the index of
// the log can't be created, the file is read without its log, provided that the log is empty.
func (s *sqliteStore) readingMode() (string, error) {
	const usual, alone = "ro", "ro&immutable=1"
	err := s.tryToRead(usual)
	switch resultCode(err) & 0xff {
	case codeCantOpen, codeReadOnly:
	default:
		return usual, s.explainRefusal(err)
	}
	if log, err := os.Stat(s.path + "-wal"); err == nil && log.Size() > 0 {
		return "", localerr.Errorf("the outbox %s was not closed, and its log can't be read while the disk is read-only", s.path)
	}
	return alone, s.explainRefusal(s.tryToRead(alone))
}

func (s *sqliteStore) tryToRead(mode string) error {
	c, err := openDriverConn(dsn(s.path, mode))
	if err != nil {
		return err
	}
	i, err := readIdentity(c)
	if err == nil {
		err = s.checkIdentity(i)
	}
	if err == nil && i.version < version {
		err = localerr.Errorf("the outbox %s has version %d and can't be upgraded to version %d while it is open read-only",
			s.path, i.version, version)
	}
	return errors.Join(err, c.close())
}
