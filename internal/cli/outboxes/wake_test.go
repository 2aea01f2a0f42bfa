package outboxes

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
)

// A stopped 'yan serve' that does not reply does not delay 'yan send --queue'.
func TestAServerThatIsSilentIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("sockets have short paths there")
	}
	dir, err := os.MkdirTemp("", "yan") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket) // connections are never accepted
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, _, _ := testApp(i18n.English)
	if a.wakeServe(t.Context(), socket) {
		t.Error("a server that never replied counts as serving")
	}
}
