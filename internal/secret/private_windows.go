package secret

import "io/fs"

// private is always satisfied: a profile of Windows is closed to others, and
// what the mode says there is made up.
func private(string, fs.FileInfo) error { return nil }
