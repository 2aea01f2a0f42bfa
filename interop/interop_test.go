//go:build interop && linux

// Package interop sends mail through independent servers: Debian's Postfix
// accepts it, Dovecot authenticates and stores the message, and Python's email
// package reads it back. Eight other servers (peers_test.go) have their own
// records, with which outcomes are compared. The programs of
// callers_programs_test.go hand mail to yan, as their sendmail or over SMTP.
//
//	go test -tags interop ./interop/...
//
// TestMain fetches the servers (servers.sh), builds the yan command and starts
// both on free loopback ports; each test runs the command like a user and
// checks its exit status, its output and the Maildir. If the servers are not
// available the tests are skipped with the reason; with CI=true that is a
// failure.
package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// world is shared by the tests and does not change after TestMain.
var world struct {
	*servers
	yan    string // the command, built for this run
	absent string // why there are no servers; "" if there are
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (status int) {
	dir, err := os.MkdirTemp("", "yan-built-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	world.yan = filepath.Join(dir, "yan")
	if out, err := exec.Command("go", "build", "-o", world.yan, "../cmd/yan").CombinedOutput(); err != nil {
		return fail(fmt.Errorf("build yan: %w\n%s", err, out))
	}
	root, err := fetchServers()
	if reason, absent := isAbsent(err); absent {
		world.absent = reason
		fmt.Printf("interop: no servers here, every test is skipped: %s\n", reason)
		return m.Run()
	}
	if err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	world.servers, err = startServers(ctx, root)
	if err != nil {
		return fail(fmt.Errorf("start the servers: %w", err))
	}
	defer func() {
		if status != 0 {
			fmt.Println(world.logs())
		}
		if err := world.stop(); err != nil {
			status = fail(err)
		}
	}()
	return m.Run()
}

func fail(err error) int {
	fmt.Printf("interop: %v\nFAIL\n", err)
	return 1
}

// fetchServers returns the root directory of the programs.
func fetchServers() (string, error) {
	if _, err := os.Stat(python); err != nil && os.Getenv("CI") != "true" {
		return "", &absentError{"no Python 3 to read the messages back with"}
	}
	return fetch("the servers", "servers.sh", "fetch", filepath.Join("..", ".cache", "interop"))
}

// real returns the servers, or skips the test with the reason why there are
// none.
func real(t *testing.T) *servers {
	t.Helper()
	if world.absent != "" {
		t.Skip(world.absent)
	}
	return world.servers
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func port(n int) string { return fmt.Sprintf(":%d", n) }
