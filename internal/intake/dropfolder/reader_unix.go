//go:build unix

package dropfolder

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/localerr"
)

// Reader takes in the messages of a folder. One goroutine may use it, besides Retry.
type Reader struct {
	o   Options
	dir *os.File
	// gid is the group that the kernel gives to files that are created here; hasGID says that it
	// does.
	gid    uint32
	hasGID bool
	// logged are the odd files that the log has, so that it has them once.
	logged map[oddFile]bool
	// retry says that refused messages are to be tried again.
	retry atomic.Bool
}

type oddFile struct {
	name  string
	inode uint64
}

// maxLogged limits the memory for odd files.
const maxLogged = 10_000

// Open opens a folder. It must belong to this process's user, unless that is root, and be sticky if
// others may write to it. The caller closes the Reader.
func Open(o Options) (*Reader, error) {
	o = o.withDefaults()
	fd, err := unix.Open(o.Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: o.Dir, Err: err}
	}
	r := &Reader{o: o, dir: os.NewFile(uintptr(fd), o.Dir), logged: map[oddFile]bool{}}
	r.retry.Store(true)
	if err := r.check(); err != nil {
		return nil, errors.Join(err, r.dir.Close())
	}
	return r, nil
}

func (r *Reader) check() error {
	info, err := r.dir.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return peeruser.ErrUnsupported
	}
	if me := os.Geteuid(); me != 0 && int(stat.Uid) != me {
		return localerr.Errorf("%s belongs to another user; files in it can't be removed after their messages were accepted", r.o.Dir)
	}
	r.gid, r.hasGID = stat.Gid, info.Mode()&fs.ModeSetgid != 0
	return checkMode(r.o.Dir, info)
}

// Close closes the folder.
func (r *Reader) Close() error { return r.dir.Close() }

// Retry makes the next Scan try refused messages again. It may be called at any time, as after a
// change of the configuration.
func (r *Reader) Retry() { r.retry.Store(true) }

// Watch takes in messages until ctx is done, which is no error.
func (r *Reader) Watch(ctx context.Context) error {
	var seen, last time.Time // the folder's time at the last Scan, and when that began
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.o.After(wait):
		}
		wait = glance
		now := r.o.Now()
		info, err := r.dir.Stat()
		if err != nil {
			return err
		}
		changed := !info.ModTime().Equal(seen) || last.Sub(seen) < settling
		if !changed && !r.retry.Load() && now.Sub(last) < whole {
			continue
		}
		seen, last = info.ModTime(), now
		found, err := r.Scan(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.o.Log.Error("the drop folder can't be read", "folder", r.o.Dir, "error", err)
		}
		if err != nil || found.Deferred > 0 {
			seen, wait = time.Time{}, later
		}
		// A folder full of odd files must not keep a processor busy.
		wait = max(wait, 10*r.o.Now().Sub(now))
	}
}

// Scan takes in the messages that are in the folder now, the oldest first.
func (r *Reader) Scan(ctx context.Context) (Found, error) {
	var found Found
	if _, err := r.dir.Seek(0, io.SeekStart); err != nil {
		return found, err
	}
	retry := r.retry.Swap(false)
	var err error
	for err == nil {
		var names []string
		names, err = r.dir.Readdirnames(batch)
		slices.Sort(names)
		if ended := r.takeAll(ctx, names, retry, &found); ended != nil {
			return found, ended
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if found.Accepted > 0 {
		err = errors.Join(err, r.dir.Sync())
	}
	return found, err
}

// batch is how many names are sorted at once, so that memory does not grow with the folder.
const batch = 10_000

// takeAll takes in the messages of a batch of names.
func (r *Reader) takeAll(ctx context.Context, names []string, retry bool, found *Found) error {
	for _, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case isMessageName(name), retry && strings.HasPrefix(name, messagePrefix):
			r.take(ctx, name, found)
		case strings.HasPrefix(name, messagePrefix): // refused before
		case strings.HasPrefix(name, tempPrefix):
			r.removeAbandoned(name)
		default:
			found.Odd++
			r.logOdd(name, 0, localerr.New("its name is not that of a message"))
		}
	}
	return nil
}

// take hands one message over.
func (r *Reader) take(ctx context.Context, name string, found *Found) {
	f, stat, err := r.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return // its owner has removed it
	}
	if err != nil {
		found.Odd++
		r.logOdd(name, stat.Ino, err)
		return
	}
	defer f.Close() // only read
	owner, err := peeruser.Find(int(stat.Uid))
	if err != nil {
		found.Deferred++
		r.o.Log.Warn("the owner of a message of the drop folder can't be found out now", "file", name, "error", err)
		return
	}
	in := bufio.NewReaderSize(f, 64<<10)
	e, err := readEnvelope(in, stat.Size)
	if err != nil {
		found.Odd++
		r.logOdd(name, stat.Ino, err)
		return
	}
	if e.Key == "" {
		e.Key = strings.TrimSuffix(name, refusedSuffix)
	}
	err = r.o.Accept(ctx, Message{Name: name, Owner: owner, Envelope: e, Body: &exactReader{in, e.Size}})
	switch {
	case err == nil:
		found.Accepted++
		if err := r.unlink(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.o.Log.Error("a message of the drop folder was accepted, but its file can't be removed", "file", name, "error", err)
		}
	case r.o.Permanent(err):
		found.Refused++
		r.o.Log.Error("a message of the drop folder was refused; it is kept and tried again after a reload", "file", name, "user", owner.Name, "error", err)
		r.setAside(name)
	default:
		found.Deferred++
		if ctx.Err() == nil {
			r.o.Log.Warn("a message of the drop folder can't be accepted now", "file", name, "user", owner.Name, "error", err)
		}
	}
}

// exactReader yields so many octets, and io.ErrUnexpectedEOF if there are fewer: the owner has made
// the file shorter.
type exactReader struct {
	r    io.Reader
	left int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if e.left > 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// open opens a file that is certainly one of Write's: regular, with one name, created in this folder.
// Everything else is refused before it is opened, since opening a device or a pipe has effects.
func (r *Reader) open(name string) (*os.File, unix.Stat_t, error) {
	var before, stat unix.Stat_t
	fd := int(r.dir.Fd())
	if err := unix.Fstatat(fd, name, &before, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, before, err
	}
	if err := r.checkFile(before); err != nil {
		return nil, before, err
	}
	opened, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, before, err
	}
	f := os.NewFile(uintptr(opened), name)
	err = unix.Fstat(opened, &stat)
	if err == nil {
		err = r.checkFile(stat)
	}
	if err == nil && (stat.Ino != before.Ino || stat.Dev != before.Dev) {
		err = fs.ErrNotExist // replaced by another: the next Scan sees that
	}
	if err != nil {
		return nil, stat, errors.Join(err, f.Close())
	}
	return f, stat, nil
}

func (r *Reader) checkFile(stat unix.Stat_t) error {
	switch {
	case stat.Mode&unix.S_IFMT == unix.S_IFLNK:
		return localerr.New("it is a symbolic link")
	case stat.Mode&unix.S_IFMT != unix.S_IFREG:
		return localerr.New("it is not a regular file")
	case stat.Nlink != 1:
		return localerr.New("it has a second name, and may be the file of another user")
	case r.hasGID && stat.Gid != r.gid:
		return localerr.New("it was not created in this folder, and may be the file of another user")
	}
	return nil
}

func (r *Reader) unlink(name string) error { return unix.Unlinkat(int(r.dir.Fd()), name, 0) }

// setAside renames a refused message, so that it is not tried at each Scan.
func (r *Reader) setAside(name string) {
	if strings.HasSuffix(name, refusedSuffix) {
		return
	}
	fd := int(r.dir.Fd())
	if err := unix.Renameat(fd, name, fd, name+refusedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.o.Log.Error("a file of the drop folder can't be renamed", "file", name, "error", err)
	}
}

// removeAbandoned removes what a writer has left that was killed. A name can't be listed by others,
// and removing it follows no link.
func (r *Reader) removeAbandoned(name string) {
	var stat unix.Stat_t
	if unix.Fstatat(int(r.dir.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW) != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return
	}
	if r.o.Now().Sub(time.Unix(stat.Mtim.Unix())) > tempAge {
		_ = r.unlink(name) // tried again at the next Scan
	}
}

// logOdd logs a file that is refused, once.
func (r *Reader) logOdd(name string, inode uint64, why error) {
	odd := oddFile{name, inode}
	if r.logged[odd] || len(r.logged) >= maxLogged {
		return
	}
	r.logged[odd] = true
	r.o.Log.Error("a file of the drop folder was refused; it is left there", slog.String("file", name), slog.Any("error", why))
}
