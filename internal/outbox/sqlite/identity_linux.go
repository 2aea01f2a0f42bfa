package sqlite

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// unsteady are file systems whose file numbers may change with each mount (statfs(2)).
var unsteady = []uint32{fuse, 0x4d44 /* FAT */, 0x2011bab0 /* exFAT */}

// fileIdentity returns a text that only this file has; "" if it is not known.
func fileIdentity(path string) string {
	var fs unix.Statfs_t
	if unix.Statfs(filepath.Dir(path), &fs) != nil {
		return ""
	}
	for _, kind := range unsteady {
		if uint32(fs.Type) == kind { //nolint:unconvert // its type is another on each machine
			return ""
		}
	}
	var s unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &s) != nil || s.Mask&unix.STATX_INO == 0 {
		return ""
	}
	if s.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprint(s.Ino)
	}
	return fmt.Sprintf("%d made %d.%09d", s.Ino, s.Btime.Sec, s.Btime.Nsec)
}

// machineID returns the identifier of systemd or D-Bus; "" if there is none.
func machineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if id, err := os.ReadFile(path); err == nil {
			return string(id)
		}
	}
	return ""
}
