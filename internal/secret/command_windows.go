package secret

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// newCommand makes a command that the shell runs. The line is handed on as it
// is: cmd has rules of its own for quotes, which /S makes simple.
func newCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, system("cmd.exe"))
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /S /C "` + line + `"`}
	c.WaitDelay = lingering
	return c
}

// together says what ends with the command when its context does: it and all
// that it has started.
func together(c *exec.Cmd, _ bool) {
	c.Cancel = func() error {
		err := exec.Command(system("taskkill.exe"), "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
		if err != nil {
			return c.Process.Kill()
		}
		return nil
	}
}

// system is a program of Windows itself, whatever the current folder holds.
func system(program string) string {
	root := os.Getenv("SystemRoot")
	if root == "" {
		root = `C:\Windows`
	}
	return filepath.Join(root, "System32", program)
}
