//go:build unix

package secret

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// checkPrivate returns an error if users other than the reader can read or own a file. Root's files are
// accepted: root can read everything anyway.
func checkPrivate(path string, info fs.FileInfo) error {
	if of, ok := info.Sys().(*syscall.Stat_t); ok && int(of.Uid) != os.Geteuid() && of.Uid != 0 {
		return fmt.Errorf("%w: user id %d, not %d", ErrForeign, of.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o; chmod 600 %s", mode, shellQuoted(path))
	}
	return nil
}

// shellQuoted quotes a name for the shell.
func shellQuoted(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@", r)
	}
	if strings.TrimFunc(name, plain) == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
