//go:build !unix

package account

import "io/fs"

// othersWrite: on Windows a mode says nothing, and what is in a user's folder is the
// user's.
func othersWrite(fs.FileInfo) bool { return false }
