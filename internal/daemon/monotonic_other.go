//go:build !linux

package daemon

// monotonic is not needed on systems without systemd.
func monotonic() (µs int64, ok bool) { return 0, false }
