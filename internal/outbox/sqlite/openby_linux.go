package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// isOpen reports whether another process has a database open. Such a process holds a read lock
// on SQLite's lock octets (https://sqlite.org/fileformat2.html, section 1.5.1, "lock-byte
// page"). The lock is looked up in /proc/locks, because opening and closing the file would end
// the locks of this process (POSIX fcntl).
func isOpen(path string) bool {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return false
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	const shared = "1073741826"      // 2^30 + 2
	inode, self := fmt.Sprintf(":%d", s.Ino), fmt.Sprint(os.Getpid())
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 1: POSIX  ADVISORY  READ 1234 08:01:5678 1073741826 1073742335
		field := strings.Fields(lines.Text())
		if len(field) >= 8 && field[1] == "POSIX" && field[4] != self && strings.HasSuffix(field[5], inode) && field[6] == shared {
			return true
		}
	}
	return false
}
