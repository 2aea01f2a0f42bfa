//go:build interop && linux

package interop

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The outbox with Debian's PgBouncer and pool_mode = transaction: the tests of
// the store start it themselves, and are skipped if it is not installed.
func TestPgBouncer(t *testing.T) {
	const program = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(program); err != nil {
		if os.Geteuid() != 0 {
			t.Skip("PgBouncer is not installed, and only the administrator can install it")
		}
		if out, err := exec.Command("sh", "-c", `export DEBIAN_FRONTEND=noninteractive
			get() { apt-get install -y --no-install-recommends pgbouncer; }
			get || { apt-get update && get; }`).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Skipf("PgBouncer can't be installed: %v", err)
		}
	}
	out, err := exec.Command("go", "test", "-count=1", "-v", "-run", "^TestBehindPgBouncer$", "../internal/outbox/postgres").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestBehindPgBouncer") {
		t.Errorf("%v\n%s", err, out)
	}
}
