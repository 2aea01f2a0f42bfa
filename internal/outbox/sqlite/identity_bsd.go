//go:build darwin || freebsd

package sqlite

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileIdentity returns a text that only this file has; "" if it is not known.
func fileIdentity(path string) string {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return ""
	}
	return fmt.Sprintf("%d made %d.%09d", s.Ino, s.Btim.Sec, s.Btim.Nsec)
}

// machineID returns the identifier of the machine, or of the system; "" if there is none.
func machineID() string {
	for _, name := range []string{"kern.uuid", "kern.hostuuid"} {
		if id, err := unix.Sysctl(name); err == nil {
			return id
		}
	}
	return ""
}
