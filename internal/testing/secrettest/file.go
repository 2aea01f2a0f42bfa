package secrettest

import (
	"bufio"
	"fmt"
	"os"
	"testing"
)

// FileWork returns the work factor of an encrypted file: the base 2 logarithm of scrypt's N, from
// the second line of an age file.
func FileWork(t testing.TB, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan()
	lines.Scan()
	var salt string
	var work int
	if _, err := fmt.Sscanf(lines.Text(), "-> scrypt %s %d", &salt, &work); err != nil {
		t.Fatalf("%s: %q: %v", path, lines.Text(), err)
	}
	return work
}
