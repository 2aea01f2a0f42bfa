package atomicfile

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yanmail/yan/internal/localerr"
)

// Reasons not to trust a file.
const (
	OthersWrite = "others can write it"
	OthersOwn   = "it belongs to another user"
	OthersRead  = "others can read it" // of a secret
)

// UntrustedError is a file or directory that another user can change, or a secret that another user
// can read.
type UntrustedError struct {
	Path   string // of the file or its directory
	Folder bool
	Reason string // OthersWrite, OthersOwn or OthersRead
}

func (e *UntrustedError) Error() string { return e.sentence().Error() }
func (e *UntrustedError) Unwrap() error { return e.sentence() }

func (e *UntrustedError) sentence() error {
	switch e.Reason {
	case OthersOwn:
		return localerr.Errorf("%s: it belongs to another user", e.Path)
	case OthersRead:
		return localerr.Errorf("%s: other users can read it", e.Path)
	}
	return localerr.Errorf("%s: other users can write to it", e.Path)
}

// Trusted checks whether a file that names commands or servers may be used: the file and its
// directory must belong to the current user or root, and no one else may write them. The error is
// an [*UntrustedError]. info is the FileInfo of the opened file.
//
// On Windows it accepts every file: modes have no meaning there, and a user's directory is private.
func Trusted(path string, info fs.FileInfo) error {
	if reason := distrustReason(info); reason != "" {
		return &UntrustedError{Path: path, Reason: reason}
	}
	folders := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(target) != folders[0] {
		folders = append(folders, filepath.Dir(target))
	}
	for _, folder := range folders {
		of, err := os.Stat(folder)
		if err != nil {
			return err
		}
		if reason := distrustReason(of); reason != "" {
			return &UntrustedError{Path: folder, Folder: true, Reason: reason}
		}
	}
	return nil
}

// Private rejects a file that holds a secret if another user owns it or has any permission. The
// error is an [*UntrustedError]. On Windows modes have no meaning.
func Private(path string, info fs.FileInfo) error { return checkPrivate(path, info, 0o077) }

// PrivateKey is Private for the key of a certificate. The group may read a key that belongs to
// root, as libpq allows, so that services can share a machine's key.
func PrivateKey(path string, info fs.FileInfo) error {
	if ownedByRoot(info) {
		return checkPrivate(path, info, 0o037)
	}
	return Private(path, info)
}

func checkPrivate(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if reason := distrustReason(info); reason == OthersOwn {
		return &UntrustedError{Path: path, Reason: reason}
	}
	if hasModes && info.Mode().IsRegular() && info.Mode()&forbidden != 0 {
		return &UntrustedError{Path: path, Reason: OthersRead}
	}
	return nil
}
