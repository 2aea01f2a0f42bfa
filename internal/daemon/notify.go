package daemon

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// notifier sends notifications to systemd as sd_notify(3) does: one datagram of lines to the socket
// in NOTIFY_SOCKET. Without that variable it does nothing.
type notifier struct {
	socket   string
	watchdog time.Duration // the interval within which systemd expects a sign of life; 0 for none
	failed   func(error)
}

// newNotifier reads systemd's environment variables. The watchdog applies only if WATCHDOG_PID is
// this process or is not set (sd_watchdog_enabled(3)).
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

// send sends lines such as "READY=1". A failure is reported but does not end the process.
func (n notifier) send(lines ...string) {
	if n.socket == "" {
		return
	}
	// A name that begins with @ is an abstract socket, in package net as in systemd.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		n.failed(err)
		return
	}
	_, err = c.Write([]byte(strings.Join(lines, "\n")))
	if err != nil {
		n.failed(err)
	}
	_ = c.Close() // the datagram has been sent
}

// reloading announces a reload with the current monotonic time, which systemd compares with the
// time of its SIGHUP (Type=notify-reload).
func (n notifier) reloading() {
	lines := []string{"RELOADING=1"}
	if µs, ok := monotonic(); ok {
		lines = append(lines, "MONOTONIC_USEC="+strconv.FormatInt(µs, 10))
	}
	n.send(lines...)
}

// statusLine returns the assignment of the line that 'systemctl status' shows.
func statusLine(text string) string { return "STATUS=" + strings.ReplaceAll(text, "\n", " ") }
