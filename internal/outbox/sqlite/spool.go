package sqlite

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// The spool holds bodies that are too large for the database, each in a file named by the
// SHA-256 of its content; messages with the same body share a file. A file gets its name, and
// is removed, only under the database's write lock: a file that no row refers to at that time
// belongs to no message.

const (
	halfName = ".part"   // of a file that is being written
	halfLife = time.Hour // since the last write; after that the writer must have died
)

func (s *sqliteStore) spoolFolder() string { return s.path + ".spool" }

func (s *sqliteStore) makeSpool() error {
	if err := os.Mkdir(s.spoolFolder(), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := s.owner.givePath(s.spoolFolder()); err != nil {
		return err
	}
	if err := s.ownFolder(s.spoolFolder()); err != nil {
		return err
	}
	var err error
	if s.spool, err = os.OpenRoot(s.spoolFolder()); err != nil {
		return err
	}
	if err := s.owner.checkFolder(s.spool); err != nil {
		return err
	}
	// The folder may be new, or created by a process that died before it was synced.
	return s.harness.sync(filepath.Dir(s.path))
}

// spoolFile is a body in the spool that no row refers to yet.
type spoolFile struct {
	s    *sqliteStore
	temp string // "" once the file has its name
	hash []byte
	size int64
	// same is the existing file of that name, if it holds the same body.
	same os.FileInfo
}

func (s *sqliteStore) spoolName(hash []byte) string {
	return filepath.Join(s.spoolFolder(), hex.EncodeToString(hash))
}

// spoolBody writes a body to the disk.
func (s *sqliteStore) spoolBody(c smtpclient.Content) (_ *spoolFile, err error) {
	file := &spoolFile{s: s, temp: rand.Text() + halfName, size: c.Size()}
	f, err := s.spool.OpenFile(file.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, sum), 64<<10)
	err = s.owner.giveFile(f)
	if err == nil {
		err = copyContent(buffered, c)
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		file.discard()
		return nil, err
	}
	file.hash = sum.Sum(nil)
	file.same = s.verifiedFile(file.hash, file.size) // here, before the write lock is taken
	s.harness.Hook(spooled)
	return file, nil
}

// nameFile gives the file its name, unless an undamaged file has it already; a damaged one is
// replaced. Call it in a write transaction; it may be called again in another one.
func (f *spoolFile) nameFile() error {
	name := hex.EncodeToString(f.hash)
	if there, err := f.s.spool.Lstat(name); err == nil {
		if f.same == nil || !sameUnchanged(f.same, there) {
			f.same = f.s.verifiedFile(f.hash, f.size)
		}
		if f.same != nil {
			// The process that named it may have died before the folder was synced.
			return f.s.harness.sync(f.s.spoolFolder())
		}
	}
	if f.temp == "" {
		return fmt.Errorf("the file %s has gone", name)
	}
	if err := f.s.spool.Rename(f.temp, name); err != nil {
		return err
	}
	f.temp = ""
	if there, err := f.s.spool.Lstat(name); err == nil {
		f.same = there // this process has written it
	}
	if err := f.s.harness.sync(f.s.spoolFolder()); err != nil {
		return err
	}
	f.s.harness.Hook(renamed)
	return nil
}

// verifiedFile returns the file of a body if it is complete, undamaged and no link, otherwise nil.
func (s *sqliteStore) verifiedFile(hash []byte, size int64) os.FileInfo {
	info, err := s.spool.Lstat(hex.EncodeToString(hash))
	if err != nil || !info.Mode().IsRegular() || info.Size() != size {
		return nil
	}
	body, err := s.openSpooled(hash, size)
	if err != nil {
		return nil
	}
	_, err = io.Copy(io.Discard, body)
	if errors.Join(err, body.Close()) != nil {
		return nil
	}
	return info
}

// sameUnchanged reports whether two results of Stat show the same file, not written in between.
func sameUnchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// discard removes the file if it has no name yet. After an error Prune removes it.
func (f *spoolFile) discard() {
	if f.temp != "" {
		_ = f.s.spool.Remove(f.temp)
		f.temp = ""
	}
}

// cleanSpool removes files that no message refers to, and incomplete files of writers that
// died.
func (s *sqliteStore) cleanSpool(ctx context.Context) (octets int64, err error) {
	folder, err := os.Open(s.spoolFolder())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	for {
		names, err := folder.Readdirnames(100)
		if err == io.EOF {
			return octets, nil
		}
		if err != nil {
			return octets, err
		}
		n, err := s.cleanNames(ctx, names)
		octets += n
		if err != nil {
			return octets, err
		}
	}
}

func (s *sqliteStore) cleanNames(ctx context.Context, names []string) (octets int64, err error) {
	var suspects [][]byte
	for _, name := range names {
		if strings.HasSuffix(name, halfName) {
			octets += s.removeHalf(name)
			continue
		}
		hash, err := hex.DecodeString(name)
		if err != nil || len(hash) != sha256.Size {
			continue // not a file of Yan
		}
		suspects = append(suspects, hash)
	}
	suspects, err = s.unreferencedFiles(ctx, suspects)
	if len(suspects) == 0 || err != nil {
		return octets, err
	}
	n, err := s.removeSpooled(ctx, suspects)
	return octets + n, err
}

// unreferencedFiles returns, without the write lock, the files that no message may refer to.
func (s *sqliteStore) unreferencedFiles(ctx context.Context, hashes [][]byte) (nobodys [][]byte, err error) {
	err = s.readTx(ctx, func(c *dbConn) error {
		for _, hash := range hashes {
			_, found, err := c.queryNumber("SELECT id FROM message WHERE spool = ? LIMIT 1", hash)
			if err != nil {
				return err
			}
			if !found {
				nobodys = append(nobodys, hash)
			}
		}
		return nil
	})
	return nobodys, err
}

// removeSpooled removes those of the files that no message refers to.
func (s *sqliteStore) removeSpooled(ctx context.Context, hashes [][]byte) (octets int64, err error) {
	err = s.writeTx(ctx, func(t *txn) error {
		for _, hash := range hashes {
			_, found, err := t.queryNumber("SELECT id FROM message WHERE spool = ? LIMIT 1", hash)
			if err != nil {
				return err
			}
			if found {
				continue
			}
			name := s.spoolName(hash)
			if there, err := os.Stat(name); err == nil && os.Remove(name) == nil {
				octets += there.Size()
			}
		}
		return nil
	})
	return octets, err
}

func (s *sqliteStore) removeHalf(name string) int64 {
	path := filepath.Join(s.spoolFolder(), name)
	there, err := os.Stat(path)
	if err != nil || time.Since(there.ModTime()) < halfLife || os.Remove(path) != nil {
		return 0
	}
	return there.Size()
}
