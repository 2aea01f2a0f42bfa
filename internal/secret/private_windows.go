package secret

import "io/fs"

// private accepts every file: on Windows a user's profile is closed to others, and the mode is
// synthetic.
func private(string, fs.FileInfo) error { return nil }
