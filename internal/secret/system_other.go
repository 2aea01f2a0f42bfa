//go:build !(darwin || windows || linux || netbsd || openbsd || (dragonfly && cgo) || (freebsd && cgo))

package secret

// System returns nil: this system has no keyring that Yan supports.
func System() Keyring { return nil }

func systemError(err error) error { return err }
