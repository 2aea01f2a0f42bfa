package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
)

func TestSaveWritesForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "config.toml")
	f, err := account.Load(path)
	if err != nil || f.Exists() {
		t.Fatal(err, f.Exists())
	}
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := errors.Join(f.Put(a), f.Save()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
		t.Errorf("got %v, %v", info, err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 2 || names[1].Name() != "config.toml.lock" {
		t.Errorf("left behind: %v, %v", names, err)
	}
	a.Timeout = time.Second // a second change of the same file
	if err := errors.Join(f.Put(a), f.Save()); err != nil {
		t.Fatal(err)
	}
}

func TestSaveRefusesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.toml")
	f, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	const theirs = "# theirs\n"
	if err := os.WriteFile(path, []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); !errors.Is(err, account.ErrChanged) {
		t.Errorf("a file that appeared: %v", err)
	}
	g, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := g.Save(); !errors.Is(err, account.ErrChanged) {
		t.Errorf("a file that went: %v", err)
	}
}

func TestSaveKeepsALinkAndItsMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles.toml"), filepath.Join(dir, "config.toml")
	if err := os.WriteFile(real, []byte(written), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no links here: ", err)
	}
	f, err := account.Load(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.SetDefault("work"), f.Save()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	now, err := os.ReadFile(real)
	if err != nil || !strings.Contains(string(now), `default = "work"`) {
		t.Errorf("got %s, %v", now, err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
}

func TestSaveInAFolderThatCantBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := parseAt(t, filepath.Join(file, "config.toml"))
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err == nil {
		t.Error("no error")
	}
}

func parseAt(t *testing.T, path string) *account.File {
	t.Helper()
	f, err := account.Parse(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// If two programs read the same file and both write it, one of them gets an error.
func TestSaveLosesNoUpdate(t *testing.T) {
	t.Parallel()
	for range 30 {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
			t.Fatal(err)
		}
		var files [4]*account.File
		for i := range files {
			f, err := account.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Set("qq", "connections", strconv.Itoa(i+1)); err != nil {
				t.Fatal(err)
			}
			files[i] = f
		}
		var saved [len(files)]error
		var all sync.WaitGroup
		for i, f := range files {
			all.Go(func() { saved[i] = f.Save() })
		}
		all.Wait()
		won := 0
		for _, err := range saved {
			if err == nil {
				won++
			} else if !errors.Is(err, account.ErrChanged) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of %d wrote the file", won, len(saved))
		}
	}
}
