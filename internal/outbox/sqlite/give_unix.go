//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yanmail/yan/internal/sentence"
)

// ownership is whose the files of an outbox are. The administrator, who may write into
// everybody's, gives them what it makes: they could not read it otherwise. nil is a
// user who gives nothing away.
type ownership struct{ uid, gid int }

func isAdministrator() bool { return os.Geteuid() == 0 }

// ownerOf is the owner of a file.
func ownerOf(path string) (*ownership, error) {
	if !isAdministrator() {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return ownershipOf(info), nil
}

func ownershipOf(info fs.FileInfo) *ownership {
	if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Uid != 0 {
		return &ownership{int(of.Uid), int(of.Gid)}
	}
	return nil
}

// heir is whose a new file in a folder is to be: the folder's owner's, unless everybody
// may write there.
func heir(folder string) *ownership {
	if !isAdministrator() {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm()&0o002 != 0 {
		return nil
	}
	return ownershipOf(info)
}

// give gives a file away that was just made.
func (o *ownership) give(f *os.File) error {
	if o == nil {
		return nil
	}
	return f.Chown(o.uid, o.gid)
}

// givePath gives a folder away that the administrator made, and what is in it. A link is
// not followed.
func (o *ownership) givePath(path string) error {
	if o == nil {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || ownershipOf(info) != nil {
		return err
	}
	inside, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range inside {
		if err := os.Lchown(filepath.Join(path, entry.Name()), o.uid, o.gid); err != nil {
			return err
		}
	}
	return os.Lchown(path, o.uid, o.gid)
}

// has refuses a folder that is not the owner's: the owner of an outbox could have the
// administrator write where the owner may not.
func (o *ownership) has(folder *os.Root) error {
	if o == nil {
		return nil
	}
	info, err := folder.Stat(".")
	if err != nil {
		return err
	}
	if of := ownershipOf(info); of == nil || of.uid != o.uid {
		return sentence.Errorf("%s belongs to another user than the outbox: the administrator does not write there", folder.Name())
	}
	return nil
}

// giveFolder gives a folder away that was just made.
func (o *ownership) giveFolder(path string) error {
	if o == nil {
		return nil
	}
	return os.Lchown(path, o.uid, o.gid)
}
