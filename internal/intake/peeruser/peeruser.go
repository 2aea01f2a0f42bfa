// Package peeruser returns the user of the process at the other end of a Unix socket, and the
// owner of a file. The kernel says both; nothing that the process sends is used.
package peeruser

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
)

// User is a user of this machine.
type User struct {
	UID int
	// Name is the login name, or "#UID" if the user database has none for the UID. No login name
	// begins with "#", so no user can take the name of one that has none.
	Name string
}

// ErrUnsupported means that the kernel can't say who is at the other end, or who owns a file.
var ErrUnsupported = errors.New("this system does not tell the user of a process")

// Find returns the user with a UID. The error is one of the user database, as when the process has too
// many open files: then it is not known that the UID has no name, and rules for the name must not be
// passed over.
func Find(uid int) (User, error) { return find(uid, user.LookupId) }

func find(uid int, lookup func(string) (*user.User, error)) (User, error) {
	digits := strconv.Itoa(uid)
	found, err := lookup(digits)
	var unknown user.UnknownUserIdError
	switch {
	case err == nil && found.Username != "":
		return User{UID: uid, Name: found.Username}, nil
	case err == nil, errors.As(err, &unknown), errors.Is(err, fs.ErrNotExist):
		return User{UID: uid, Name: "#" + digits}, nil
	}
	return User{}, fmt.Errorf("user %s: %w", digits, err)
}

// Of returns the user with a UID for a person or the user's own settings: without a name after any
// error.
func Of(uid int) User {
	if u, err := Find(uid); err == nil {
		return u
	}
	return User{UID: uid, Name: "#" + strconv.Itoa(uid)}
}

// IsRoot reports whether the user may do everything on this machine.
func (u User) IsRoot() bool { return u.UID == 0 }
