//go:build !unix

package dropfolder

import "errors"

// Exists reports that there is no drop folder: files have no numeric owner here.
func Exists(string) bool { return false }

// Write returns errors.ErrUnsupported.
func Write(string, Envelope, Content) error { return errors.ErrUnsupported }
