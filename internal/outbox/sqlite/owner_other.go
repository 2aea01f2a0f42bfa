//go:build !unix

package sqlite

import "io/fs"

// On Windows only the user has access to the user's folder.
func isForeign(fs.FileInfo, int) bool              { return false }
func closeToOthers(string, fs.FileInfo, int) error { return nil }
