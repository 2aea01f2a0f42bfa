//go:build !unix

package sqlite

import "io/fs"

// Windows gives what is in a user's folder to that user alone.
func isForeign(fs.FileInfo, int) bool              { return false }
func closeToOthers(string, fs.FileInfo, int) error { return nil }
