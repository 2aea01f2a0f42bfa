//go:build unix

package secret

import (
	"context"
	"os/exec"
	"syscall"
)

// newCommand makes a command that the shell runs.
func newCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	c.WaitDelay = lingering
	return c
}

// together says what ends with the command when its context does: it and all
// that it has started, which is a process group.
//
// On a terminal there is no such group: it would be in the background and be
// stopped as soon as it asked something. There Ctrl-C reaches all of them
// anyway; on any other end the command is told to, and what it leaves behind
// loses the terminal with the program.
func together(c *exec.Cmd, terminal bool) {
	if terminal {
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		return
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
