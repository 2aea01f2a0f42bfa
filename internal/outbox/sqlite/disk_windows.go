package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

var quotaErrors = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}

// free returns the octets available to this user on the disk of a file, or -1 if that is not
// known.
func free(path string) int64 {
	folder, err := windows.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return -1
	}
	var left uint64
	if windows.GetDiskFreeSpaceEx(folder, &left, nil, nil) != nil {
		return -1
	}
	return int64(left)
}

// network returns "network drive" for a drive of another machine, otherwise "".
func network(folder string) string {
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(folder) + `\`)
	if err == nil && windows.GetDriveType(root) == windows.DRIVE_REMOTE {
		return "network drive"
	}
	return ""
}
