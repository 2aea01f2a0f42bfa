//go:build linux

package durability

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"math/rand/v2"
)

// TestSendQueueSyncsBeforeItSaysSo checks that the message is synced to the disk between the last
// read of 'yan send --queue' and its line that the message is in the outbox.
func TestSendQueueSyncsBeforeItSaysSo(t *testing.T) {
	t.Parallel()
	program := findStrace(t)
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, output, config := filepath.Join(base, "disk"), filepath.Join(base, "trace"), filepath.Join(base, "config.toml")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(config, []byte("version = 1\n[account.me]\nfrom = \"me@example.org\"\nserver = \"smtp+notls://127.0.0.1:9\"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("a letter to a friend\n", 200)
	c, err := startChild(orders{Role: "yan", Args: []string{"send", "--queue", "-t", "friend@example.com", "-s", "hello"},
		Env: []string{"YAN_CONFIG=" + config, "YAN_OUTBOX=" + filepath.Join(root, place), "HOME=" + base}},
		slices.Concat([]string{program}, StraceFlags(), []string{output})...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.stdin.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := c.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for line := range c.lines {
		said += line + "\n"
	}
	<-c.ended
	if !strings.Contains(said, "in the outbox as message 1") {
		t.Fatalf("it printed %q", said)
	}
	file, err := os.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	calls, err := ParseTrace(file, root)
	if err != nil {
		t.Fatal(err)
	}
	at, why := findOrder(calls, text)
	if why != "" {
		t.Error(why)
	}
	t.Logf("read at line %d of the trace, written to the log at %d, synced at %d, said at %d", at.read, at.written, at.synced, at.said)
	// The disk at that moment, if only synced data survives.
	folder := t.TempDir()
	cut := Cut{Line: at.said - 1, Way: Nothing, Random: rand.New(rand.NewPCG(1, 1))}
	if err := NewDisk(root, calls).Leave(folder, cut, "-shm"); err != nil {
		t.Fatal(err)
	}
	store, err := openPlace(t.Context(), filepath.Join(folder, place), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if entry, err := store.Show(t.Context(), 1); err != nil || entry.Recipients[0].Address.String() != "friend@example.com" {
		t.Errorf("the disk has %+v, %v", entry, err)
	}
	// The control: the same calls without the syncs of the log.
	unsynced := slices.DeleteFunc(slices.Clone(calls), func(c Call) bool {
		return strings.HasSuffix(c.Name, "sync") && strings.HasSuffix(c.Path, "-wal")
	})
	if _, why := findOrder(unsynced, text); why == "" {
		t.Error("the control, which syncs nothing, was not detected")
	} else {
		t.Logf("the control: %s", why)
	}
}

// lines are line numbers of a trace.
type lines struct{ read, written, synced, said int }

// findOrder finds the lines of the events; why says what is wrong with their order.
func findOrder(calls []Call, text string) (at lines, why string) {
	for _, c := range calls {
		switch {
		case c.Name == "read" && c.FD == 0 && at.said == 0:
			at.read = c.End
		case c.Name == "write" && c.FD == 1 && strings.Contains(string(c.Data), "in the outbox") && at.said == 0:
			at.said = c.Begin
		case c.Name == "pwrite64" && strings.HasSuffix(c.Path, "-wal") && at.said == 0:
			at.written = c.End
		case strings.HasSuffix(c.Name, "sync") && strings.HasSuffix(c.Path, "-wal") && at.said == 0 && c.Begin > at.written:
			at.synced = c.End
		}
	}
	switch {
	case at.read == 0 || at.written < at.read || at.said == 0:
		return at, "what was read was not written to the log before it was said"
	case at.synced < at.written || at.synced > at.said:
		return at, "no sync lies between the last write to the log and what is said"
	}
	return at, ""
}
