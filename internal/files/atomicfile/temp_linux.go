package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// createUnnamed creates a file that never has a name.
func createUnnamed(folder string) (*os.File, error) {
	return os.OpenFile(folder, os.O_RDWR|unix.O_TMPFILE|unix.O_EXCL, 0o600)
}
