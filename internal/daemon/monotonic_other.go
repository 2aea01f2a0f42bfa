//go:build !linux

package daemon

// monotonic is not asked for where there is no systemd.
func monotonic() (µs int64, ok bool) { return 0, false }
