//go:build darwin || freebsd

package peeruser

import "golang.org/x/sys/unix"

// The level and the option of LOCAL_PEERCRED, from sys/un.h of both systems.
const (
	solLocal      = 0
	localPeerCred = 1
)

// socketUID returns the effective UID that the other process had when it connected.
func socketUID(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, solLocal, localPeerCred)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
