//go:build interop && linux

// Package packages installs the packages yan and yan-mta into a small Debian of
// its own (root.sh), with dpkg, apt and rpm, and removes them again.
//
//	go test -tags interop ./interop/packages
//
// Without root or Debian's packages the tests are skipped with the reason; with
// CI=true that is a failure.
package packages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// debian returns the folder of the small Debian, which no test changes.
var debian = sync.OnceValues(func() (string, error) {
	out, err := command("../..", "sh", "interop/packages/root.sh", ".cache/packages")
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 3 && os.Getenv("CI") != "true" {
		_, reason, _ := strings.Cut(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:], ".sh: ")
		return "", fmt.Errorf("%w: %s", errors.ErrUnsupported, reason)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Abs("../../.cache/packages/root")
})

// built is a folder with packages of two versions.
type built struct {
	folder   string
	old, new string // the versions as packages write them
}

// packages builds the packages of the working tree as those of two commits: one with
// the tag v0.1.0, and the one after it.
var packages = sync.OnceValues(func() (built, error) {
	folder, err := os.MkdirTemp("", "yan-packages-")
	if err != nil {
		return built{}, err
	}
	clone := filepath.Join(folder, "clone")
	if out, err := command("../..", "sh", "-c", copyOfTree, "sh", clone); err != nil {
		return built{}, fmt.Errorf("%w: %s", err, out)
	}
	for _, step := range []string{
		"git tag v0.1.0 && sh tools/packages.sh " + filepath.Join(folder, "old"),
		gitCommit + " --allow-empty && ARCHS=amd64 sh tools/packages.sh " + filepath.Join(folder, "new"),
		// Another user, folder, time zone and language.
		"cp -a . ../elsewhere && cd ../elsewhere && umask 077 && ARCHS=amd64 TZ=Asia/Shanghai LANG=zh_CN.UTF-8 unshare --uts sh -c 'hostname elsewhere; sh tools/packages.sh " +
			filepath.Join(folder, "again") + "'",
	} {
		if out, err := command(clone, "sh", "-c", step); err != nil {
			return built{}, fmt.Errorf("%s: %w: %s", step, err, out)
		}
	}
	b := built{folder: folder}
	for folder, version := range map[string]*string{"old": &b.old, "new": &b.new} {
		names, err := filepath.Glob(filepath.Join(b.folder, folder, "yan_*_amd64.deb"))
		if err != nil || len(names) != 1 {
			return built{}, fmt.Errorf("packages %v, %w", names, err)
		}
		*version = strings.Split(filepath.Base(names[0]), "_")[1]
	}
	return b, nil
})

const (
	gitCommit = "git -c user.name=x -c user.email=x@example.com commit -q -m x"
	// copyOfTree clones the repository and commits the files as they are in the
	// working tree.
	copyOfTree = `set -e
git clone -q --shared --no-tags . "$1"
git ls-files -z --cached --others --exclude-standard | xargs -0 -r cp --parents -P -t "$1" 2>/dev/null || true
cd "$1"
git add -A
git diff --cached --quiet || ` + gitCommit

	// enter runs a script in the small Debian, of which it sees a copy whose changes
	// are in another folder.
	enter = `set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --bind "$3" "$2/root/mnt"
mount -t proc proc "$2/root/proc"
mount -t devtmpfs none "$2/root/dev" 2>/dev/null || true
exec chroot "$2/root" /bin/sh -c "$4"`
)

func TestMain(m *testing.M) {
	status := m.Run()
	if b, err := packages(); err == nil {
		os.RemoveAll(b.folder)
	}
	os.Exit(status)
}

// command returns the whole output of a program that runs in a folder.
func command(folder, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	return string(out), err
}

// machine is a copy of the small Debian.
type machine struct {
	t      *testing.T
	debian string
	folder string // of the changes
	built  built
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	root, err := debian()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := &machine{t: t, debian: root, folder: folder, built: b}
	// No package starts a service.
	m.do(`printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d`)
	return m
}

// try runs a shell script on the machine, with the packages in /mnt/old and /mnt/new.
func (m *machine) try(script string) (string, error) {
	m.t.Helper()
	c := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter, "sh", m.debian, m.folder, m.built.folder, "set -e\n"+script)
	c.Dir = m.folder
	c.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "HOME=/root"}
	out, err := c.CombinedOutput()
	return string(out), err
}

// do is try for a script that must succeed.
func (m *machine) do(script string) string {
	m.t.Helper()
	out, err := m.try(script)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// files lists the files of the machine with their modes, owners and targets, and the
// users. Logs, caches and the lists of packages are left out.
func (m *machine) files() []string {
	m.t.Helper()
	const script = `find / -xdev \( -path /proc -o -path /dev -o -path /mnt -o -path /tmp -o -path /run -o -path /var/cache -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path '/etc/*-' \) -prune -o \
	-printf '%p %M %u:%g %l\n'
	for file in passwd group shadow gshadow; do sed "s|^|/etc/$file |; s|:[0-9]*:0:99999:|:DAY:0:99999:|" /etc/$file; done`
	return strings.Split(strings.TrimSpace(m.do(script)), "\n")
}

// compareFiles returns the lines that one of two lists alone has, with "-" or "+".
func compareFiles(before, after []string) []string {
	var changes []string
	add := func(sign string, list, other []string) {
		known := map[string]bool{}
		for _, line := range other {
			known[line] = true
		}
		for _, line := range list {
			if !known[line] {
				changes = append(changes, sign+strings.TrimSpace(line))
			}
		}
	}
	add("-", before, after)
	add("+", after, before)
	slices.Sort(changes)
	return changes
}

// checkFile reports a file whose mode, owner or target is not the expected one.
func (m *machine) checkFile(path, want string) {
	m.t.Helper()
	if got := strings.TrimSpace(m.do("find " + path + " -prune -printf '%M %u:%g %l'")); got != want {
		m.t.Errorf("%s is %s, want %s", path, got, want)
	}
}

// checkOutput reports an output that lacks a text.
func checkOutput(t *testing.T, what, out string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", what, want, out)
		}
	}
}

// checkEqual compares the packages of two folders octet for octet.
func checkEqual(t *testing.T, one, two string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(one, "yan*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		other := filepath.Join(two, filepath.Base(file))
		a, errA := os.ReadFile(file)
		b, errB := os.ReadFile(other)
		if errors.Is(errB, fs.ErrNotExist) || errA != nil || errB != nil {
			t.Errorf("%v, %v", errA, errB)
		} else if string(a) != string(b) {
			t.Errorf("%s and %s differ", file, other)
		}
	}
}
