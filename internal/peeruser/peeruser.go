// Package peeruser returns the user of the process at the other end of a Unix socket, and the
// owner of a file. The kernel says both; nothing that the process sends is used.
package peeruser

import (
	"errors"
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

// Of returns the user with a UID.
func Of(uid int) User {
	digits := strconv.Itoa(uid)
	if found, err := user.LookupId(digits); err == nil && found.Username != "" {
		return User{UID: uid, Name: found.Username}
	}
	return User{UID: uid, Name: "#" + digits}
}

// IsRoot reports whether the user may do everything on this machine.
func (u User) IsRoot() bool { return u.UID == 0 }
