package sqlite

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/outbox"
)

// systemUptime returns the system's uptime. If it is not known, Boot is "".
func systemUptime() outbox.Uptime {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var t unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return outbox.Uptime{}
	}
	return outbox.Uptime{Boot: strings.TrimSpace(string(id)), Since: time.Duration(t.Nano())}
}
