package sandbox

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the server says into testdata/dialogue")

// TestDialogues replays the files of testdata/dialogue. Each has a profile and
// a port in its first lines, then the conversation:
//
//	C: the client's line; consecutive lines are one write
//	S: a line of the server
//	B: other octets of the server, as a Go string
//	*: tls, a handshake; end, the server closes
//	V: a violation, at the end of the file
//
// {plain USER SECRET} and {base64 TEXT} are replaced by their encoding. The
// clock is fixed at 2026-07-01 08:00 UTC.
func TestDialogues(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/dialogue/*.txt")
	if err != nil || len(files) < 2*len(Profiles()) {
		t.Fatalf("%d dialogues, %v; want two for each profile", len(files), err)
	}
	profiles := map[string]bool{}
	for _, file := range files {
		d, err := readDialogue(file)
		if err != nil {
			t.Fatal(err)
		}
		profiles[d.head["profile"]] = true
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			d.replay(t)
		})
	}
	for _, name := range Profiles() {
		if !profiles[name] {
			t.Errorf("profile %s has no dialogue", name)
		}
	}
}

type dialogue struct {
	file  string
	head  map[string]string
	lines []string // with their marks
	out   []string // the lines that -update writes
}

func readDialogue(file string) (*dialogue, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &dialogue{file: file, head: map[string]string{}}
	for line := range strings.SplitSeq(strings.TrimRight(string(data), "\n"), "\n") {
		mark, text, ok := strings.Cut(line, ":")
		if line == "" || line[0] == '#' || len(mark) != 1 {
			d.out = append(d.out, line)
			if ok && line[0] != '#' {
				d.head[mark] = strings.TrimSpace(text)
			}
			continue
		}
		d.lines = append(d.lines, line)
	}
	return d, nil
}

func (d *dialogue) replay(t *testing.T) {
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	s := start(t, Config{Profile: d.head["profile"], Now: func() time.Time { return now }})
	addr := map[string]string{"submission": s.SubmissionAddr(), "tls": s.TLSAddr()}[d.head["port"]]
	c := dial(t, s, addr)
	if d.head["port"] == "tls" {
		if err := c.secure(c.tlsConfig(), patient); err != nil {
			t.Fatal(err)
		}
	}
	var violations []string
	var flight strings.Builder
	c.learn(d) // the greeting
	for i, line := range d.lines {
		mark, text := line[0], strings.TrimPrefix(line[2:], " ")
		if mark == 'C' {
			flight.WriteString(fillDialogue(text) + "\r\n")
			d.out = append(d.out, line)
			if i < len(d.lines)-1 && d.lines[i+1][0] == 'C' {
				continue
			}
			c.send(flight.String())
			flight.Reset()
			c.learn(d)
			continue
		}
		switch {
		case mark == 'V':
			violations = append(violations, text)
		case mark == '*' && text == "tls":
			d.out = append(d.out, line)
			if err := c.secure(c.tlsConfig(), patient); err != nil {
				t.Fatalf("%s: %v", d.file, err)
			}
		case *update: // -update records these lines again
		case mark == '*' && text == "end":
			c.wantEnd()
		default:
			c.wantBytes(fmt.Sprintf("%s, line %d", d.file, i+1), mark, text)
		}
	}
	d.finish(t, s, violations)
}

// wantBytes reads exactly the octets of the dialogue.
func (c *client) wantBytes(where string, mark byte, text string) {
	c.t.Helper()
	want := fillDialogue(text) + "\r\n"
	if mark == 'B' {
		var err error
		if want, err = strconv.Unquote(text); err != nil {
			c.t.Fatalf("%s: %v", where, err)
		}
	}
	got := make([]byte, len(want))
	if err := c.conn.SetReadDeadline(time.Now().Add(patient)); err != nil {
		c.t.Fatal(err)
	}
	n, err := io.ReadFull(c.in, got)
	if err != nil || string(got) != want {
		c.t.Fatalf("%s: got %q, %v; want %q", where, got[:n], err, want)
	}
}

// learn records the server's output until it pauses; only with -update.
func (c *client) learn(d *dialogue) {
	if !*update {
		return
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		c.t.Fatal(err)
	}
	data, err := io.ReadAll(c.in)
	for len(data) > 0 {
		end := bytes.Index(data, []byte("\r\n")) + 2
		frame := []byte(binaryFrame)
		switch {
		case bytes.HasPrefix(data, frame):
			end = len(frame)
			d.out = append(d.out, "B: "+strconv.Quote(binaryFrame))
		case end < 2:
			end = len(data)
			d.out = append(d.out, "B: "+strconv.Quote(string(data)))
		default:
			d.out = append(d.out, strings.TrimRight("S: "+string(data[:end-2]), "\r\n"))
		}
		data = data[end:]
	}
	if err == nil {
		d.out = append(d.out, "*: end")
	}
}

func (d *dialogue) finish(t *testing.T, s *Server, want []string) {
	var got []string
	for _, v := range s.Violations() {
		got = append(got, string(v.Stage)+" "+v.Text)
	}
	if *update {
		for _, v := range got {
			d.out = append(d.out, "V: "+v)
		}
		if err := os.WriteFile(d.file, []byte(strings.Join(d.out, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !slices.Equal(got, want) {
		t.Errorf("violations %q, want %q", got, want)
	}
}

// fillDialogue encodes the text in braces.
func fillDialogue(text string) string {
	for {
		before, rest, found := strings.Cut(text, "{")
		inside, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return text
		}
		switch words := strings.Fields(inside); words[0] {
		case "plain":
			inside = plainResponse(words[1], words[2])
		default:
			raw, err := strconv.Unquote(`"` + strings.TrimPrefix(inside, "base64 ") + `"`)
			if err != nil {
				return text // unknown braces are sent as they are
			}
			inside = b64(raw)
		}
		text = before + inside + after
	}
}
