//go:build interop && linux

package interop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
)

// procmail's formail is a second reader of the same files. It starts a process
// for each message, so it gets only the files that differ from a common one in
// the lines, or in the field and the text. Without -Y, formail would believe a
// Content-Length of 999999.
func TestMboxFilesAsFormailReadsThem(t *testing.T) {
	fetchReaders(t)
	t.Parallel()
	lines, fields, texts := mboxMatrix()
	type box struct {
		text string
		odd  bool // its lines differ
	}
	var boxes []box
	for i, line := range lines {
		for j, other := range lines {
			boxes = append(boxes, box{mboxOf(line, other, fields[1], texts[0]), i != j})
		}
	}
	for _, extra := range fields {
		for _, text := range texts {
			boxes = append(boxes, box{mboxOf(lines[0], lines[0], extra, text), false})
		}
	}
	file := filepath.Join(t.TempDir(), "box")
	refused := 0
	for _, b := range boxes {
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := mailfiles.Find(file, mailfiles.Options{})
		var ambiguous *mbox.UnlikeError
		if errors.As(err, &ambiguous) && b.odd {
			refused++
			continue
		}
		if strings.HasPrefix(b.text, "From a@example.com\n") {
			continue // formail ignores a From_ line without a date
		}
		command := exec.Command("formail", "-Y", "-s", "formail", "-czxSubject:")
		command.Stdin = strings.NewReader(b.text)
		out, failed := command.Output()
		if failed != nil {
			t.Fatalf("formail: %v", failed)
		}
		if got, want := subjectsOf(t, found), strings.Fields(string(out)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; formail finds %q", b.text, got, err, want)
		}
	}
	if t.Logf("%d files, %d of them ambiguous", len(boxes), refused); refused > len(boxes)/2 {
		t.Error("most are ambiguous")
	}
}
