//go:build darwin || freebsd

package sqlite

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileIdentity is what only this file has; "" where that is not known.
func fileIdentity(path string) string {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return ""
	}
	return fmt.Sprintf("%d made %d.%09d", s.Ino, s.Btim.Sec, s.Btim.Nsec)
}

// machineID is that of the machine, or of the system; "" where there is none.
func machineID() string {
	for _, name := range []string{"kern.uuid", "kern.hostuuid"} {
		if id, err := unix.Sysctl(name); err == nil {
			return id
		}
	}
	return ""
}
