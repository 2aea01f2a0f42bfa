package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is a program of others', found or fetched by tools.sh.
type tool struct {
	Path    string // "" when it can't be had
	Version string
	Missing string // why it can't be had
}

// tools are by the name of the program.
type tools map[string]tool

// toolFolder is where what is fetched is kept for the next time.
func toolFolder() string { return filepath.Join("..", ".cache", "bench") }

// findTools has tools.sh fetch what is not there.
func findTools(ctx context.Context) (tools, error) {
	command := exec.CommandContext(ctx, "sh", "tools.sh", "fetch", toolFolder())
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("tools.sh: %w", err)
	}
	found := tools{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("tools.sh says %q", line)
		}
		if fields[1] == "" {
			found[fields[0]] = tool{Missing: fields[2]}
		} else {
			found[fields[0]] = tool{Path: fields[1], Version: fields[2]}
		}
	}
	return found, nil
}

// command runs the tool, with the libraries that were unpacked beside it.
func (t tool) command(ctx context.Context, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, t.Path, arguments...)
	c.Env = append(os.Environ(), t.libraries()...)
	return c
}

// libraries is nothing for what is installed.
func (t tool) libraries() []string {
	root, _, unpacked := strings.Cut(t.Path, "/bench/root/")
	if !unpacked {
		return nil
	}
	root = filepath.Join(root, "bench", "root")
	folders := []string{filepath.Join(root, "usr", "lib", "postfix")}
	for _, pattern := range []string{filepath.Join(root, "usr", "lib", "*-linux-gnu*"), filepath.Join(root, "lib", "*-linux-gnu*")} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue // the patterns are good
		}
		folders = append(folders, matches...)
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(folders, ":")}
}
