package sqlite

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// oldest is the first version of SQLite in which two processes that restart a write-ahead log
// at the same moment do not damage the database.
const oldest = "3.51.3"

// readers is the number of read connections; there is one writer.
const readers = 4

// prepareFile creates the folders and the file, for their owner alone, and returns the path that all
// processes use: locks and spool are next to the file itself, not next to a link to it.
func prepareFile(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := checkOrphanLog(path); err != nil {
		return "", err
	}
	if err := makeFolders(filepath.Dir(path)); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		err = createFile(path)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// makeFolders creates a folder and missing parents, for their owner alone, and syncs their
// names to the disk.
func makeFolders(path string) error {
	var missing []string
	for above := path; filepath.Dir(above) != above; above = filepath.Dir(above) {
		if _, err := os.Stat(above); !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, above)
	}
	if len(missing) == 0 {
		return nil
	}
	to := inheritedOwner(filepath.Dir(missing[len(missing)-1]))
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, folder := range missing {
		if err := to.giveFolder(folder); err != nil {
			return err
		}
		// A folder that this user may write and not read can't be synced.
		if err := atomicfile.SyncFolder(filepath.Dir(folder)); err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return nil
}

// createFile creates an empty file that others can't read. It is closed before it gets its
// name, because closing a file ends all locks of this process on it, SQLite's too (POSIX
// fcntl).
func createFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new") // 0600
	if err != nil {
		return err
	}
	to := inheritedOwner(filepath.Dir(path))
	if err := errors.Join(to.giveFile(f), f.Close()); err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // the file has its other name, or is not needed
	if err = os.Link(f.Name(), path); err == nil || errors.Is(err, os.ErrExist) {
		return err
	}
	f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // the file system has no links
	if err != nil {
		return err
	}
	return errors.Join(to.giveFile(f), f.Close())
}

// dsn returns the URL of a file, in which no part of the path is taken for an option.
func dsn(path, mode string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=" + mode}).String()
}

// openConn opens a connection and checks that it is as durable as required.
func (s *sqliteStore) openConn(mode string) (*dbConn, error) {
	c, err := openDriverConn(dsn(s.path, mode))
	if err != nil {
		return nil, s.explainRefusal(err)
	}
	if err := s.setPragmas(c); err != nil {
		return nil, errors.Join(s.explainRefusal(err), c.close())
	}
	return c, nil
}

func (s *sqliteStore) setPragmas(c *dbConn) error {
	version := s.harness.version
	var synchronous int64
	for _, pragma := range []string{
		"busy_timeout = 5000", // for readers; the writer waits in retryBusy
		"synchronous = " + s.harness.synchronous,
		"cache_size = -16000", // KiB
		"temp_store = MEMORY",
		"wal_autocheckpoint = 4000", // pages: a page that changes often is written once
		"journal_size_limit = 67108864",
		"trusted_schema = OFF",
	} {
		if err := c.queryOnce(context.Background(), func(resultRow) error { return nil }, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	err := c.queryOnce(context.Background(), func(r resultRow) error { synchronous = r.int(0); return nil }, "PRAGMA synchronous")
	if err == nil && version == "" {
		err = c.queryOnce(context.Background(), func(r resultRow) error { version = r.text(0); return nil }, "SELECT sqlite_version()")
	}
	switch {
	case err != nil:
		return err
	case synchronous < 2: // FULL; 3 is EXTRA
		return localerr.New("SQLite does not wait for the disk here (synchronous is not FULL), so mail could be lost")
	case olderVersion(version, oldest):
		return localerr.Errorf("SQLite %s can damage a database that several processes write; %s or later is needed", version, oldest)
	}
	return nil
}

// olderVersion reports whether version a is older than b, such as 3.51.3.
func olderVersion(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		var x, y int
		if i < len(as) {
			x, _ = strconv.Atoi(as[i]) // a part that is not a number counts as 0
		}
		if i < len(bs) {
			y, _ = strconv.Atoi(bs[i])
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// explainRefusal explains why a file can't be opened as an outbox.
func (s *sqliteStore) explainRefusal(err error) error {
	if isFull(err) || resultCode(err) == codeShmSize {
		return queue.ErrFull
	}
	switch resultCode(err) & 0xff {
	case codeNotADB:
		return localerr.Errorf("%s is not an outbox, nor any database", s.path)
	case codeReadOnly, codePerm:
		return localerr.Errorf("can't write the outbox %s: the disk, the folder or the file is read-only", s.path)
	case codeCantOpen:
		return localerr.Errorf("can't open the outbox %s: no permission for the folder or the file, or the disk is read-only", s.path)
	}
	return err
}

// checkWritable begins a write transaction, which fails if the disk takes no writes.
func checkWritable(c *dbConn) error {
	_, err := c.exec("BEGIN IMMEDIATE")
	if resultCode(err)&0xff == codeBusy {
		return nil // another program is writing
	}
	if err != nil {
		return err
	}
	_, err = c.exec("ROLLBACK")
	return err
}

// retryBusy repeats do while another process holds the lock, up to harness.patience. SQLite's
// own waiting sleeps up to 100 ms; a process that writes all the time does not release the
// lock for that long.
func (s *sqliteStore) retryBusy(do func() error) error {
	limit := time.NewTimer(s.harness.patience)
	defer limit.Stop()
	for pause := 100 * time.Microsecond; ; pause = min(pause*2, 2*time.Millisecond) {
		err := do()
		if resultCode(err)&0xff != codeBusy {
			return err
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-s.quit:
			again.Stop()
			return queue.ErrClosed
		case <-limit.C:
			again.Stop()
			return localerr.Errorf("another program has been writing to the outbox for %v", s.harness.patience)
		}
	}
}

// checkDisk refuses a network file system.
func (s *sqliteStore) checkDisk() error {
	if kind := s.harness.network(filepath.Dir(s.path)); kind != "" {
		return localerr.Errorf("the outbox %s is on a network file system (%s), where several programs can damage it: put it on a local disk", s.path, kind)
	}
	return nil
}
