package atomicfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/yanmail/yan/internal/files/atomicfile"
)

func TestWriteReplacesAndLeavesNothingElse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	for _, text := range []string{"a longer first content", "new"} {
		if err := atomicfile.Write(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v", info, err)
	}
	checkAlone(t, folder, "file")
}

// A directory can't be replaced by a file; the new file is removed.
func TestWriteThatFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "taken", "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(folder, "taken"), []byte("x"), 0o600); err == nil {
		t.Error("no error")
	}
	checkAlone(t, folder, "taken")
	if err := atomicfile.Write(filepath.Join(folder, "missing", "file"), nil, 0o600); err == nil {
		t.Error("no error without a directory")
	}
}

func checkAlone(t *testing.T, folder, name string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("in the folder: %v, %v", entries, err)
	}
}
