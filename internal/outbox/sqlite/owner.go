package sqlite

import (
	"errors"
	"io/fs"
	"os"

	"github.com/yanmail/yan/internal/localerr"
)

// sidecarSuffixes are the suffixes of the files that SQLite keeps next to a database.
var sidecarSuffixes = [...]string{"-wal", "-shm", "-journal"}

// ownFiles refuses an outbox with a file of another user, who could read and change the
// messages. In a folder that many users write to, like /tmp, any of them may have created a
// file, a log, a spool or a link of that name before.
func (s *sqliteStore) ownFiles() error {
	return s.eachFile(s.checkOwn, append([]string{""}, sidecarSuffixes[:]...)...)
}

// ownBeside is ownFiles for the files next to the database, which may be a link.
func (s *sqliteStore) ownBeside() error { return s.eachFile(s.checkOwn, sidecarSuffixes[:]...) }

func (s *sqliteStore) checkOwn(path string, info fs.FileInfo) error {
	if err := checkRegular(path, info); err != nil {
		return err
	}
	if isForeign(info, s.harness.user) {
		return foreignFileError(path)
	}
	return nil
}

func checkRegular(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return localerr.Errorf("%s is not a file and can't be part of the outbox", path)
	}
	return nil
}

// restrictFiles removes the permissions of all other users, which a copied file or an existing
// folder may have; a group keeps its access. Call it only for a known outbox.
func (s *sqliteStore) restrictFiles() error {
	return s.eachFile(func(path string, info fs.FileInfo) error { return closeToOthers(path, info, s.harness.user) },
		append([]string{""}, sidecarSuffixes[:]...)...)
}

func (s *sqliteStore) eachFile(do func(string, fs.FileInfo) error, names ...string) error {
	for _, name := range names {
		info, err := os.Lstat(s.path + name)
		if err == nil {
			err = do(s.path+name, info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ownFolder checks the folder of the spool, which may be a link of this user.
func (s *sqliteStore) ownFolder(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if isForeign(info, s.harness.user) {
			return foreignFileError(path)
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return err
	}
	if isForeign(info, s.harness.user) {
		return foreignFileError(path)
	}
	return closeToOthers(path, info, s.harness.user)
}

func foreignFileError(path string) error {
	return localerr.Errorf("%s belongs to another user, who could read and change its mail: an outbox file has one owner; use PostgreSQL to share an outbox", path)
}
