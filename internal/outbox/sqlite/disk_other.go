//go:build !linux && !darwin && !freebsd && !windows

package sqlite

import "os"

var quotaErrors []error // that the system has

// What the disk is, and how much is left on it, is not known here.
func free(string) int64     { return -1 }
func network(string) string { return "" }

// syncFolder writes the names in a folder to the disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if closing := folder.Close(); err == nil {
		err = closing
	}
	return err
}
