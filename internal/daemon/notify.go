package daemon

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// notifier speaks to systemd as sd_notify(3) does: one datagram of lines to the
// socket that NOTIFY_SOCKET names. Where there is none it says nothing.
type notifier struct {
	socket   string
	watchdog time.Duration // how often systemd wants to hear of us; 0 for not
	failed   func(error)
}

// newNotifier reads what systemd put into the environment. The watchdog counts only
// where WATCHDOG_PID is this process, or is left out (sd_watchdog_enabled(3)).
func newNotifier(getenv func(string) string, failed func(error)) notifier {
	n := notifier{socket: getenv("NOTIFY_SOCKET"), failed: failed}
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n
	}
	if µs, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && µs > 0 && n.socket != "" {
		n.watchdog = time.Duration(µs) * time.Microsecond
	}
	return n
}

// say sends lines like "READY=1". That systemd does not hear them is told, and no
// reason to end.
func (n notifier) say(lines ...string) {
	if n.socket == "" {
		return
	}
	// A name that begins with @ is an abstract one, for package net as for systemd.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		n.failed(err)
		return
	}
	_, err = c.Write([]byte(strings.Join(lines, "\n")))
	if err != nil {
		n.failed(err)
	}
	_ = c.Close() // the datagram has left
}

// reloading says since when, by the clock that systemd compares with that of its
// SIGHUP (Type=notify-reload).
func (n notifier) reloading() {
	lines := []string{"RELOADING=1"}
	if µs, ok := monotonic(); ok {
		lines = append(lines, "MONOTONIC_USEC="+strconv.FormatInt(µs, 10))
	}
	n.say(lines...)
}

// status is one line for 'systemctl status'.
func status(text string) string { return "STATUS=" + strings.ReplaceAll(text, "\n", " ") }
