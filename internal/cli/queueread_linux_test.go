package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
)

// An outbox on a read-only disk can be read but not changed.
func TestAQueueOnAReadOnlyDiskIsLookedAt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=128m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(folder, "outbox.db")
	store, err := stores.Open(t.Context(), file, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	letter, err := submission.Compose(nil, &message.Message{From: "me@example.org", To: []string{"friend@example.org"}, Subject: "Read only", Text: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	defer letter.Close()
	if _, err := letter.Enqueue(t.Context(), store, submission.Order{Account: "work"}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	do := func(want int, says string, args ...string) {
		t.Helper()
		code, out, errs := run(t.Context(), nil, append(args, "--outbox", file)...)
		if code != want || !strings.Contains(out+errs, says) {
			t.Errorf("%q: exit status %d, want %d and %q:\n%s%s", args, code, want, says, out, errs)
		}
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("nothing can be made read-only here: %v", err)
	}
	do(command.ExitOK, "Read only", "queue")
	do(command.ExitOK, "Read only", "queue", "show", "1")
	do(command.ExitOK, "ACCOUNT", "queue", "stats")
	do(command.ExitOK, "Hello", "queue", "export", "1")
	do(command.ExitIO, "can't open", "queue", "hold", "1")
}
