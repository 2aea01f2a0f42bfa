//go:build interop && linux

package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
	"github.com/yanmail/yan/message"
)

// Random address fields of RFC 5322 are parsed as Python's email package does;
// each run tries new ones.
func TestAddressFieldsAsPythonReadsThem(t *testing.T) {
	t.Parallel()
	const fields = 5000
	seed := strconv.FormatInt(time.Now().UnixNano()%1_000_000, 10)
	out, err := exec.Command(python, "addresses.py", seed, strconv.Itoa(fields)).Output()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		var field string
		var want [][2]string
		if err := json.Unmarshal(in.Bytes(), &[]any{&field, &want}); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			continue
		}
		compared++
		c, err := message.ReadRaw(strings.NewReader("To: " + field + "\n\n"))
		if err != nil {
			t.Fatal(err)
		}
		to, err := c.Recipients()
		if errors.Is(err, message.ErrNoRecipients) {
			err = nil
		}
		var got, wanted []string
		for _, a := range to {
			local := a.Local()
			if strings.HasPrefix(local, `"`) { // the value without quotes and backslashes
				local = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(local[1 : len(local)-1])
			}
			got = append(got, local+"@"+a.ASCIIDomain())
		}
		for _, a := range want {
			wanted = append(wanted, a[0]+"@"+a[1])
		}
		if err != nil || !slices.Equal(got, wanted) {
			t.Errorf("seed %s: %q: %q, %v, Python reads %q", seed, field, got, err, wanted)
		}
	}
	if compared < fields*9/10 {
		t.Errorf("seed %s: only %d compared", seed, compared)
	}
	t.Logf("seed %s: %d fields read alike", seed, compared)
}

// Mbox files in the styles of many programs contain the messages that Python's
// mailbox module finds in them, or are refused as ambiguous; a file in any one
// program's style is never ambiguous.
func TestMboxFilesAsPythonReadsThem(t *testing.T) {
	t.Parallel()
	lines, fields, texts := mboxMatrix()
	dir := t.TempDir()
	wants := map[string]int{}
	for i, line := range lines {
		for j, other := range lines {
			for k, extra := range fields {
				for l, text := range texts {
					for _, end := range []string{"\n", "\r\n"} {
						name := fmt.Sprintf("%d-%d-%d-%d-%d", i, j, k, l, len(end))
						if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(mboxOf(line, other, extra, text), "\n", end)), 0o600); err != nil {
							t.Fatal(err)
						}
						wants[name] = i - j
					}
				}
			}
		}
	}
	out, err := exec.Command(python, "mboxes.py", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	alike, refused := 0, 0
	for name, subjects := range want {
		found, err := mailfiles.Find(filepath.Join(dir, name), mailfiles.Options{})
		var ambiguous *mbox.UnlikeError
		if errors.As(err, &ambiguous) && wants[name] != 0 {
			refused++
			continue
		}
		got := subjectsOf(t, found)
		if err != nil || !slices.Equal(got, subjects) {
			t.Errorf("%s: %q, %v, Python finds %q", name, got, err, subjects)
		}
		alike++
	}
	t.Logf("%d files: %d read alike, %d ambiguous", len(want), alike, refused)
	if alike+refused != len(wants) || alike < refused/2 {
		t.Errorf("%d files: %d read alike, %d ambiguous", len(wants), alike, refused)
	}
}

// mboxMatrix returns the variations of mbox files: the lines between messages,
// the fields that programs add, and texts that look like separators.
func mboxMatrix() (lines, fields, texts []string) {
	lines = []string{
		"From a@example.com Mon Jan  1 10:00:00 2024", "From - Mon Jan 01 10:00:00 2024", "From 17@xxx Mon Jan 01 00:00:00 +0000 2024",
		"From MAILER-DAEMON Fri Jul  8 12:08:34 2011", "From a@example.com Mon, 01 Jan 2024 10:00:00 +0000", "From a@example.com 2024-01-01 10:00:00",
		"From a at example.com  Mon Jan  1 10:00:00 2024", "From a@example.com", "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001",
	}
	fields = []string{"", "Status: RO\n", "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n", "Content-Length: 999999\nLines: 7\n"}
	texts = []string{"hello\n", "\n", "", ">From here\n", "\n>From here on\nNote: x\n", "\nfrom here\n", "a\n\n\n"}
	return lines, fields, texts
}

// mboxOf returns a file of three messages.
func mboxOf(line, other, extra, text string) string {
	var b strings.Builder
	for n, line := range []string{line, other, line} {
		fmt.Fprintf(&b, "%s\n%sSubject: %d\nFrom: a@example.com\nTo: b@example.com\n\n%s\n", line, extra, n, text)
	}
	return b.String()
}

func subjectsOf(t *testing.T, found mailfiles.FoundMessages) (subjects []string) {
	t.Helper()
	for _, m := range found.Messages {
		c, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(b.String(), "Subject: ")
		subjects = append(subjects, rest[:1])
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return subjects
}
