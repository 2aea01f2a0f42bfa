package atomicfile

import "os"

// TempFile creates a temporary file without a name: the system deletes it when the last process that
// has it open ends. Close it; there is nothing to remove. On Windows it has a name while it is
// open.
func TempFile() (*os.File, error) { return createTemp(os.TempDir()) }
