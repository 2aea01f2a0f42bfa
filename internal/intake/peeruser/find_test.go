package peeruser

import (
	"io/fs"
	"os/user"
	"syscall"
	"testing"
)

// Only the user database can say that a UID has no name: after any other error the rules for the name
// would be passed over.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want string // "" is an error
	}{
		{"www-data", nil, "www-data"},
		{"1000", nil, "1000"},
		{"", nil, "#33"},
		{"", user.UnknownUserIdError(33), "#33"},
		{"", &fs.PathError{Op: "open", Path: "/etc/passwd", Err: syscall.ENOENT}, "#33"},
		{"", &fs.PathError{Op: "open", Path: "/etc/passwd", Err: syscall.EMFILE}, ""},
	} {
		u, err := find(33, func(uid string) (*user.User, error) {
			if tt.err != nil {
				return nil, tt.err
			}
			return &user.User{Uid: uid, Username: tt.name}, nil
		})
		if (err == nil) != (tt.want != "") || u.Name != tt.want || err == nil && u.UID != 33 {
			t.Errorf("%q, %v: %+v, %v; want %q", tt.name, tt.err, u, err, tt.want)
		}
	}
}
