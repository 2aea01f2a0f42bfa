package wholefile

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yanmail/yan/internal/sentence"
)

// Why a file is not to be obeyed.
const (
	OthersWrite = "others can write it"
	OthersOwn   = "it belongs to another user"
	OthersRead  = "others can read it" // of a secret
)

// UntrustedError is a file, or the folder of one, that another user can change, or a
// secret that another user can read.
type UntrustedError struct {
	Path   string // of the file or its folder
	Folder bool
	Reason string // OthersWrite, OthersOwn or OthersRead
}

func (e *UntrustedError) Error() string { return e.sentence().Error() }
func (e *UntrustedError) Unwrap() error { return e.sentence() }

func (e *UntrustedError) sentence() error {
	switch e.Reason {
	case OthersOwn:
		return sentence.Errorf("%s: it belongs to another user", e.Path)
	case OthersRead:
		return sentence.Errorf("%s: others can read it", e.Path)
	}
	return sentence.Errorf("%s: others can write it", e.Path)
}

// Trusted says whether a file that names commands or servers may be obeyed: it and its
// folder have to belong to the user who runs the program or to root, and nobody else may
// write them. The error is an [*UntrustedError]. info is that of the file which was opened.
//
// On Windows a mode says nothing: what is in a user's folder is the user's.
func Trusted(path string, info fs.FileInfo) error {
	if reason := distrust(info); reason != "" {
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
		if reason := distrust(of); reason != "" {
			return &UntrustedError{Path: folder, Folder: true, Reason: reason}
		}
	}
	return nil
}

// Private refuses a file that another user owns, or has any right to: one that holds a
// secret. The error is an [*UntrustedError]. On Windows a mode says nothing.
func Private(path string, info fs.FileInfo) error { return private(path, info, 0o077) }

// PrivateKey is Private for the key of a certificate: the group may read one that belongs
// to root, as libpq allows, which lets services share the key of a machine.
func PrivateKey(path string, info fs.FileInfo) error {
	if ownedByRoot(info) {
		return private(path, info, 0o037)
	}
	return Private(path, info)
}

func private(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if reason := distrust(info); reason == OthersOwn {
		return &UntrustedError{Path: path, Reason: reason}
	}
	if hasModes && info.Mode().IsRegular() && info.Mode()&forbidden != 0 {
		return &UntrustedError{Path: path, Reason: OthersRead}
	}
	return nil
}
