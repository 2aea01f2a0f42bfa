package wholefile

import "os"

// Temp makes a temporary file that has no name: it is gone with the last process that has
// it open, however that ends. Close it; there is nothing to remove. On Windows it has a
// name for as long as it is open.
func Temp() (*os.File, error) { return temp(os.TempDir()) }
