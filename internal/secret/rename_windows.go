package secret

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// renameDurably replaces a file.
//
// QUIRK: Windows does not replace a file that another program, such as a virus scanner, has open.
// Half a second later it usually does.
func renameDurably(from, to string) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	err := os.Rename(from, to)
	for range 25 {
		if !errors.Is(err, windows.ERROR_ACCESS_DENIED) && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			break
		}
		<-again.C
		err = os.Rename(from, to)
	}
	return err
}
