package daemon

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// loadUnits returns the systemd units of the documentation.
func loadUnits(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join("..", "..", "docs", "systemd")
	for _, pattern := range []string{"*.service", filepath.Join("user", "*.service")} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(b)
		}
	}
	if len(found) != 2 {
		t.Fatalf("%d units", len(found))
	}
	return found
}

// unitSettings returns the settings of a unit. Values of a repeated key are joined.
func unitSettings(unit string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(unit) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			m[key] = strings.TrimSpace(m[key] + " " + value)
		}
	}
	return m
}

// The units agree with the daemon's behaviour.
func TestUnitsFit(t *testing.T) {
	t.Parallel()
	for name, unit := range loadUnits(t) {
		s := unitSettings(unit)
		for key, want := range map[string]string{"Type": "notify", "ExecReload": "/bin/kill -HUP $MAINPID", "Restart": "on-failure", "RestartPreventExitStatus": "64 78",
			"ExecStart": "/usr/local/bin/yan serve", "NoNewPrivileges": "yes"} {
			if s[key] != want {
				t.Errorf("%s: %s=%s", name, key, s[key])
			}
		}
		if filepath.Base(filepath.Dir(name)) == "systemd" { // all users reach the submission socket and the drop folder
			if s["RuntimeDirectory"] != "yan" || s["RuntimeDirectoryMode"] != "0755" || !strings.Contains(s["ReadWritePaths"], "/var/spool/yan") || !strings.Contains(unit, "install -d -m 3733 -o yan -g yan /var/spool/yan/drop") {
				t.Errorf("%s: users can't reach the ways in", name)
			}
		}
		n, err := strconv.Atoi(s["TimeoutStopSec"])
		if err != nil || time.Duration(n)*time.Second <= DefaultGrace+afterCut {
			t.Errorf("%s: TimeoutStopSec is %s s, the daemon may take %v", name, s["TimeoutStopSec"], DefaultGrace+afterCut)
		}
		n, err = strconv.Atoi(s["WatchdogSec"])
		if err != nil || time.Duration(n)*time.Second < 2*lease*2/3 {
			t.Errorf("%s: WatchdogSec is %s, shorter than a few renewals", name, s["WatchdogSec"])
		}
	}
}

func TestSystemdLikesUnits(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	// systemd-analyze requires the program and the man page to exist.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, unit := range loadUnits(t) {
		dir := t.TempDir()
		path := filepath.Join(dir, "yan.service")
		unit = strings.ReplaceAll(unit, "/usr/local/bin/yan", self)
		unit = strings.ReplaceAll(unit, "Documentation=man:yan-serve(1)\n", "")
		if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", "--recursive-errors=no"}
		if filepath.Base(filepath.Dir(name)) == "user" {
			args = append(args, "--user")
		}
		c := exec.CommandContext(t.Context(), analyze, append(args, path)...)
		c.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "SYSTEMD_COLORS=0")
		out, err := c.CombinedOutput()
		text := string(out)
		if err != nil && !strings.Contains(text, path) && !strings.Contains(text, "yan.service") {
			t.Skipf("systemd-analyze does not work here: %v: %s", err, text)
		}
		if err != nil || strings.Contains(text, "yan.service") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
