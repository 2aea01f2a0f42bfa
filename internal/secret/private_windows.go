package secret

import "io/fs"

// checkPrivate accepts every file: on Windows a user's profile is closed to others, and the mode is
// synthetic.
func checkPrivate(string, fs.FileInfo) error { return nil }
