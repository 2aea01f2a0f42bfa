package wholefile

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file that never had a name.
func unnamed(folder string) (*os.File, error) {
	return os.OpenFile(folder, os.O_RDWR|unix.O_TMPFILE|unix.O_EXCL, 0o600)
}
