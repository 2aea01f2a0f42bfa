package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is another project's program, found or fetched by tools.sh.
type tool struct {
	Path    string // "" if it is not available
	Version string
	Missing string // why it is not available
}

// tools maps program names to tools.
type tools map[string]tool

// toolFolder is the directory where fetched tools are kept.
func toolFolder() string { return filepath.Join("..", ".cache", "bench") }

// findTools lets tools.sh fetch the missing tools.
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

// command runs the tool with its unpacked libraries.
func (t tool) command(ctx context.Context, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, t.Path, arguments...)
	c.Env = append(os.Environ(), t.libraryPaths()...)
	return c
}

// libraryPaths returns the library directories of an unpacked tool; none for an
// installed one.
func (t tool) libraryPaths() []string {
	root, _, unpacked := strings.Cut(t.Path, "/bench/root/")
	if !unpacked {
		return nil
	}
	root = filepath.Join(root, "bench", "root")
	folders := []string{filepath.Join(root, "usr", "lib", "postfix")}
	for _, pattern := range []string{filepath.Join(root, "usr", "lib", "*-linux-gnu*"), filepath.Join(root, "lib", "*-linux-gnu*")} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue // the patterns are valid
		}
		folders = append(folders, matches...)
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(folders, ":")}
}
