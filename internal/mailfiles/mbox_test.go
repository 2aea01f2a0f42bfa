package mailfiles

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

const from = "From me@example.org Mon Nov 23 04:25:28 2026\n"

func TestUnquote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		">From x\n":                            "From x\n",
		">>From x\n>From\n>from x\na\n>From y": ">From x\n>From\n>from x\na\nFrom y",
		"x >From y\n":                          "x >From y\n",
		"> From x\n":                           "> From x\n",
		"":                                     "",
		strings.Repeat("x", 5000) + "\n>From z\n": strings.Repeat("x", 5000) + "\nFrom z\n",
		strings.Repeat("x", 2048) + ">From z\n":   strings.Repeat("x", 2048) + ">From z\n",
		strings.Repeat(">", 500) + "From z\n":     strings.Repeat(">", 499) + "From z\n",
	} {
		for _, r := range []io.Reader{newUnquoter(strings.NewReader(in)), iotest.OneByteReader(newUnquoter(strings.NewReader(in))),
			newUnquoter(iotest.OneByteReader(strings.NewReader(in)))} {
			if got, err := io.ReadAll(r); err != nil || string(got) != want {
				t.Errorf("%q: %q, %v", in, got, err)
			}
		}
	}
	if _, err := io.ReadAll(newUnquoter(iotest.TimeoutReader(strings.NewReader(strings.Repeat("x", 9999))))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("%v", err)
	}
}

// looksFine excludes messages that no program writes as mboxrd: without a field first, with a lone
// CR as a line end, or with a Content-Length.
func looksFine(m []byte) bool {
	loneCR := bytes.Contains(bytes.ReplaceAll(m, []byte("\r\n"), nil), []byte("\r"))
	return fieldFirst.Match(m) && !loneCR && !bytes.Contains(bytes.ToLower(m), []byte("content-length"))
}

var fieldFirst = regexp.MustCompile(`^[!-9;-~]{1,100}:`)

var mayBeQuoted = regexp.MustCompile(`(?m)^(>*From )`)

// FuzzMbox writes messages as mboxrd: each must be read back unchanged.
func FuzzMbox(f *testing.F) {
	f.Add([]byte(mail), []byte(mail))
	f.Add([]byte("A: b\n\n"+from+"C: d\n>From x\n"), []byte("A: b\n\n\n"))
	f.Add([]byte("A: b\n\n>>>From x\r\nFrom "), []byte("A:\r\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var file bytes.Buffer
		var want []string
		for _, m := range [][]byte{first, second} {
			if !looksFine(m) {
				return // no message begins like that
			}
			if !bytes.HasSuffix(m, []byte("\n")) {
				m = append(m, '\n')
			}
			file.WriteString(from)
			file.Write(mayBeQuoted.ReplaceAll(m, []byte(">$1")))
			file.WriteByte('\n')
			want = append(want, string(m))
		}
		path := filepath.Join(t.TempDir(), "x.mbox")
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := Find(path, Options{Marked: true})
		if err != nil || len(found.Messages) != 2 {
			t.Fatalf("%d messages, %v", len(found.Messages), err)
		}
		for i, m := range found.Messages {
			got, err := io.ReadAll(newUnquoter(io.NewSectionReader(bytes.NewReader(file.Bytes()), m.part.Start, m.part.End-m.part.Start)))
			if err != nil || string(got) != want[i] {
				t.Errorf("%q, want %q; %v", got, want[i], err)
			}
			if m.part.Quoted != mayBeQuoted.MatchString(want[i]) {
				t.Errorf("quoted %v: %q", m.part.Quoted, want[i])
			}
		}
	})
}
