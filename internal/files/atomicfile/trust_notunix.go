//go:build !unix

package atomicfile

import "io/fs"

func distrustReason(fs.FileInfo) string { return "" }

const hasModes = false

func ownedByRoot(fs.FileInfo) bool { return false }

// OwnLike does nothing: files have no numeric owner here.
func OwnLike(string, string) error { return nil }
