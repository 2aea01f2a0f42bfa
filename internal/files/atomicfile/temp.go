package atomicfile

import "os"

// TempFile creates a temporary file without a name: the system deletes it when the last process that
// has it open ends. Close it; there is nothing to remove. On Windows it has a name while it is
// open.
func TempFile() (*os.File, error) { return createTemp(os.TempDir()) }

// TempFileIn is TempFile on the file system of a folder; "" is the folder of TempFile.
func TempFileIn(folder string) (*os.File, error) {
	if folder == "" {
		return TempFile()
	}
	return createTemp(folder)
}
