package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mountDisk mounts a small file system and returns its folder.
func mountDisk(t *testing.T, options string) string {
	t.Helper()
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, options); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// remountReadOnly makes the file system read-only.
func remountReadOnly(t *testing.T, folder string) {
	t.Helper()
	if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("nothing can be made read-only here: %v", err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	folder := mountDisk(t, "size=16m")
	path := filepath.Join(folder, "outbox.db")
	s := openStore(t, path, outbox.Options{InlineBytes: 10}, Harness{})
	id := mustEnqueue(t, s, testMessage(t, "Subject: x\r\n\r\nHello\r\n"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	remountReadOnly(t, folder)
	if err := reopenStore(t, path, Harness{}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("to write: %v", err)
	}
	r, err := OpenToRead(ctx, path, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Show(ctx, id); err != nil {
		t.Error(err)
	}
	if page, err := r.List(ctx, queue.Filter{}); err != nil || len(page.Entries) != 1 {
		t.Error(page, err)
	}
	body, err := r.Body(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// A message that does not fit on a full disk is refused as a whole, and the store works again
// when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	folder := mountDisk(t, "size=4m")
	s := openStore(t, filepath.Join(folder, "outbox.db"), outbox.Options{InlineBytes: 64 << 10}, Harness{})
	for _, size := range []int{32 << 10, 100 << 10} { // in the database, and in the spool
		kept, full := map[queue.ID]bool{}, false
		for range 400 {
			r, err := s.Enqueue(ctx, testMessage(t, strings.Repeat("x", size-2)+"\r\n"))
			if err != nil {
				if full = errors.Is(err, queue.ErrFull); !full {
					t.Fatalf("%v", err)
				}
				break
			}
			kept[r.ID] = true
			if size > 64<<10 { // the same body twice would be one file
				m := testMessage(t, strings.Repeat("y", size-22)+string(rune('a'+len(kept)%26))+r.ID.String()+"\r\n")
				if _, err := s.Enqueue(ctx, m); err != nil {
					if full = errors.Is(err, queue.ErrFull); !full {
						t.Fatal(err)
					}
					break
				}
			}
		}
		if !full {
			t.Fatal("the disk never was full")
		}
		if left, err := filepath.Glob(filepath.Join(s.spoolFolder(), "*"+halfName)); len(left) > 0 || err != nil {
			t.Errorf("left over: %v, %v", left, err)
		}
		for id := range kept {
			if body, err := s.Body(ctx, id); err != nil {
				t.Errorf("message %d: %v", id, err)
			} else {
				_ = body.Close()
			}
		}
		checkTally(t, s)
		if size > 64<<10 {
			break
		}
		if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT, "size=12m"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Enqueue(ctx, testMessage(t, "x")); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
}

func TestMountsAreTold(t *testing.T) {
	t.Parallel()
	folder := mountDisk(t, "size=1m")
	inside := filepath.Join(folder, "a")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	if kind := mountType(inside); kind != "tmpfs" {
		t.Errorf("%s is on %q", inside, kind)
	}
}

func TestRemoteKinds(t *testing.T) {
	t.Parallel()
	for kind, remote := range map[string]bool{"fuse.sshfs": true, "fuse.rclone": true, "fuseblk": false, "fuse.bindfs": false} {
		if (remoteKind(kind) != "") != remote {
			t.Errorf("%s: %v", kind, !remote)
		}
	}
}
