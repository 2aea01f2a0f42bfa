//go:build !unix

package wholefile

import "io/fs"

func distrust(fs.FileInfo) string { return "" }

const hasModes = false

func ownedByRoot(fs.FileInfo) bool { return false }
