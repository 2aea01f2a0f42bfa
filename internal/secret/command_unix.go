//go:build unix

package secret

import (
	"context"
	"os/exec"
	"syscall"
)

// newCommand returns a command that the shell runs.
func newCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	c.WaitDelay = outputTimeout
	return c
}

// setKillGroup makes the end of the context kill the command with its process group, which contains
// every process that it started.
//
// On a terminal the command gets no process group of its own: it would run in the background and be
// stopped as soon as it reads. There Ctrl-C reaches all its processes anyway. In all other cases
// only the command itself gets SIGTERM; processes that it leaves lose the terminal when the program
// ends.
func setKillGroup(c *exec.Cmd, terminal bool) {
	if terminal {
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		return
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
