//go:build interop && linux

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const python = "/usr/bin/python3"

// stored is a message as readback.py reads it.
type stored struct {
	Defects           []string
	Headers           [][2]string
	Addresses         map[string][][2]string
	Text, HTML        *string
	Attachments       []storedAttachment
	LongestLine       int  `json:"longest_line"`
	LongestHeaderLine int  `json:"longest_header_line"`
	Raw8bitHeader     bool `json:"raw_8bit_header"`
}

type storedAttachment struct {
	Filename, Disposition string
	ContentType           string  `json:"content_type"`
	ContentID             *string `json:"content_id"`
	Size                  int
	SHA256                string
}

// header returns the values of every header field of that name.
func (m stored) header(name string) []string {
	var values []string
	for _, h := range m.Headers {
		if strings.EqualFold(h[0], name) {
			values = append(values, h[1])
		}
	}
	return values
}

// delivered waits until a mailbox contains n messages and returns their files,
// oldest first.
func (s *servers) delivered(t *testing.T, box string, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var files []string
	err := poll(ctx, func() (bool, error) {
		files = s.files(t, box)
		if len(files) < n {
			return false, fmt.Errorf("%d of %d messages in mailbox %s: %w", len(files), n, box, errNotYet)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != n {
		t.Fatalf("mailbox %s holds %d messages, want %d: %q", box, len(files), n, files)
	}
	return files
}

// files lists the messages of a mailbox now.
func (s *servers) files(t *testing.T, box string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.mail, box, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// readBack reads a stored message with Python's parser, which must find no
// defect.
func readBack(t *testing.T, file string) stored {
	t.Helper()
	var problems bytes.Buffer
	command := exec.Command(python, "-I", "readback.py", file)
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("read %s back: %v\n%s", file, err, problems.String())
	}
	var m stored
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatalf("read %s back: %v", file, err)
	}
	if len(m.Headers) == 0 {
		t.Fatalf("%s has no headers", file)
	}
	defects := slices.DeleteFunc(m.Defects, intended)
	if len(defects) > 0 || m.LongestLine > 998 || m.Raw8bitHeader {
		raw, _ := os.ReadFile(file) // only for the failure message
		t.Errorf("not well-formed: defects %q, longest line %d, 8-bit header %t\n%.4000s",
			defects, m.LongestLine, m.Raw8bitHeader, raw)
	}
	return m
}

// intended reports the one deliberate defect: the name= of a Content-Type uses
// encoded words of RFC 2047, which it forbids inside quotes and old readers
// require.
func intended(defect string) bool {
	_, rest, _ := strings.Cut(defect, ": ")
	header, what, _ := strings.Cut(rest, ": ")
	return header == "Content-Type" &&
		(strings.Contains(what, "encoded word inside quoted string") ||
			strings.Contains(what, "missing trailing whitespace after encoded-word"))
}
