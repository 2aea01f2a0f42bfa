//go:build !unix

package peeruser

import "io/fs"

// OfFile returns ErrUnsupported: files have no numeric owner here.
func OfFile(fs.FileInfo) (User, error) { return User{}, ErrUnsupported }
