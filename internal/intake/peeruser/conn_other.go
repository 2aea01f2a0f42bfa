//go:build !linux && !darwin && !freebsd

package peeruser

func socketUID(int) (int, error) { return 0, ErrUnsupported }
