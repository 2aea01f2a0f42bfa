//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yanmail/yan/internal/localerr"
)

// ownership is the owner of an outbox's files. Root, who may write into the outbox of any
// user, gives new files to that user, who could not read them otherwise. nil changes no owner.
type ownership struct{ uid, gid int }

func isAdministrator() bool { return os.Geteuid() == 0 }

// ownerOf returns the owner of a file; nil if this process is not root or root owns it.
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

// inheritedOwner returns the owner for a new file in a folder: the folder's owner, unless every user may
// write there.
func inheritedOwner(folder string) *ownership {
	if !isAdministrator() {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm()&0o002 != 0 {
		return nil
	}
	return ownershipOf(info)
}

// giveFile changes the owner of a new file.
func (o *ownership) giveFile(f *os.File) error {
	if o == nil {
		return nil
	}
	return f.Chown(o.uid, o.gid)
}

// givePath changes the owner of a folder that root created, and of its files. It does not
// follow links.
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

// checkFolder refuses a folder that does not belong to the owner of the outbox, who could otherwise
// make root write where the owner may not.
func (o *ownership) checkFolder(folder *os.Root) error {
	if o == nil {
		return nil
	}
	info, err := folder.Stat(".")
	if err != nil {
		return err
	}
	if of := ownershipOf(info); of == nil || of.uid != o.uid {
		return localerr.Errorf("%s and the outbox belong to different users: the administrator does not write there", folder.Name())
	}
	return nil
}

// giveFolder changes the owner of a new folder.
func (o *ownership) giveFolder(path string) error {
	if o == nil {
		return nil
	}
	return os.Lchown(path, o.uid, o.gid)
}
