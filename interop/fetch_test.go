//go:build interop && linux

package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// absentError reports that a program is not available on this machine.
type absentError struct{ reason string }

func (e *absentError) Error() string { return e.reason }

// isAbsent returns why a program is not available. With CI=true that is a
// failure instead.
func isAbsent(err error) (reason string, absent bool) {
	var none *absentError
	if errors.As(err, &none) && os.Getenv("CI") != "true" {
		return none.reason, true
	}
	return "", false
}

// fetch runs a script that installs programs and prints their root directory.
// Its exit status 3 means that they are not available, and its last line is the
// reason.
func fetch(what, script string, args ...string) (string, error) {
	var said bytes.Buffer
	command := exec.Command("/bin/sh", append([]string{script}, args...)...)
	command.Stderr = &said
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		_, reason, _ := strings.Cut(lines[len(lines)-1], ".sh: ")
		return "", &absentError{reason}
	}
	if err != nil {
		return "", fmt.Errorf("get %s: %w\n%s", what, err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// fetchOrSkip is fetch for a test, which is skipped if the programs are not
// available.
func fetchOrSkip(t *testing.T, what, script string, args ...string) string {
	t.Helper()
	folder, err := fetch(what, script, args...)
	if reason, absent := isAbsent(err); absent {
		t.Skip(reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}
