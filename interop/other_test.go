//go:build interop && !linux

package interop

import (
	"os"
	"testing"
)

func TestRealServers(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Fatal("Debian's Postfix and Dovecot run on Linux only")
	}
	t.Skip("Debian's Postfix and Dovecot run on Linux only")
}
