//go:build !unix

package daemon

import "io/fs"

const noFollow = 0

func isForeign(fs.FileInfo, int) bool { return false }
