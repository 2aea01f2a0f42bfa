package secret

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// newCommand returns a command that the shell runs. The line is passed unchanged: cmd has its own
// quoting rules, which /S makes simple.
func newCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, systemProgram("cmd.exe"))
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /S /C "` + line + `"`}
	c.WaitDelay = outputTimeout
	return c
}

// setKillGroup kills the command with all processes that it started when its context ends.
func setKillGroup(c *exec.Cmd, _ bool) {
	c.Cancel = func() error {
		err := exec.Command(systemProgram("taskkill.exe"), "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
		if err != nil {
			return c.Process.Kill()
		}
		return nil
	}
}

// systemProgram returns the path of a program of Windows itself, so that a file in the current directory
// is not run instead.
func systemProgram(program string) string {
	root := os.Getenv("SystemRoot")
	if root == "" {
		root = `C:\Windows`
	}
	return filepath.Join(root, "System32", program)
}
