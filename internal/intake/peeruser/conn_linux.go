package peeruser

import "golang.org/x/sys/unix"

// socketUID returns the effective UID that the other process had when it connected.
func socketUID(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
