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

func TestFromLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"From me@example.org Mon Nov 23 04:25:28 2026":               true,
		"From MAILER-DAEMON Fri Jul  8 12:08:34 2011":                true,
		"From - Mon Jan  1 00:00:00 2024":                            true,
		"From 17@xxx Mon Jan 01 00:00:00 +0000 2024":                 true,
		"From me Mon Jan  1 00:00 EST 2024 remote from host":         true,
		"From 5f1e Mon Sep 17 00:00:00 2001":                         true,
		"From \"a b\"@example.org  Mon Nov 23 04:25:28 MET DST 2026": true,
		"From me Sun Mar  1 2026":                                    false, // as one program writes a single message
		"From : me@example.org":                                      false,
		"From here on Mon we go":                                     false,
		"From x Mon Nov 23 04:25:28":                                 false,
		"From x Mon Nov 23 4 2026 y":                                 false,
		"From x mon Nov 23 04:25:28 2026":                            false,
		">From me@example.org Mon Nov 23 04:25:28 2026":              false,
		"From":                                  false,
		"":                                      false,
		"From x Mon Nov 23 04:25:28 a b c 2026": false,
		"From x onTu Nov 23 04:25:28 2026":      false,
		"From x Mon Nov 023 04:25:28 2026":      false,
	} {
		if got := isFromLine([]byte(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     []string
	}{
		{"no mbox", mail, nil},
		{"empty", "", nil},
		{"one message as some program saved it", "From me Sun Mar  1 2026\n" + mail, nil},
		{"an endless line", strings.Repeat("From ", 10_000), nil},
		{"one", from + mail, []string{mail}},
		{"one, with its empty line", from + mail + "\n", []string{mail}},
		{"two", from + mail + "\n" + from + mail + "\n", []string{mail, mail}},
		{"the last line is open", from + mail + "\n" + from + "To: x", []string{mail, "To: x"}},
		{"an empty line is of the message", from + mail + "\n\n" + from + mail, []string{mail + "\n", mail}},
		{"CRLF", strings.ReplaceAll(from+mail+"\n"+from+mail, "\n", "\r\n"),
			[]string{strings.ReplaceAll(mail, "\n", "\r\n"), strings.ReplaceAll(mail, "\n", "\r\n")}},
		{"a From_ line before no header", from + mail + "\n" + from + "\nquoted\n", []string{mail + "\n" + from + "\nquoted\n"}},
		{"text that begins with From", from + mail + "\nFrom here on: x\n", []string{mail + "\nFrom here on: x\n"}},
		{"quoted", from + mail + "\n>" + from + mail, []string{mail + "\n>" + from + mail}},
		{"a byte order mark", "\xef\xbb\xbf" + from + mail, []string{mail}},
		{"From_ lines alone", from + from, []string{from}},
		{"a From_ line alone", from, []string{""}},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
			parts, err := split(r)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			var got []string
			for _, p := range parts {
				got = append(got, test.in[p.start:p.end])
			}
			if strings.Join(got, "§") != strings.Join(test.want, "§") || len(got) != len(test.want) {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
	}
}

func TestGlued(t *testing.T) {
	t.Parallel()
	_, err := split(strings.NewReader(from + mail + from + mail))
	var glued *GluedError
	if !errors.As(err, &glued) || glued.Line != 6 || !strings.Contains(err.Error(), "line 6") {
		t.Errorf("%v", err)
	}
	if _, err := split(iotest.ErrReader(errors.New("broken"))); err == nil || err.Error() != "broken" {
		t.Errorf("%v", err)
	}
}

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
		for _, r := range []io.Reader{unquote(strings.NewReader(in)), iotest.OneByteReader(unquote(strings.NewReader(in))),
			unquote(iotest.OneByteReader(strings.NewReader(in)))} {
			if got, err := io.ReadAll(r); err != nil || string(got) != want {
				t.Errorf("%q: %q, %v", in, got, err)
			}
		}
	}
	if _, err := io.ReadAll(unquote(iotest.TimeoutReader(strings.NewReader(strings.Repeat("x", 9999))))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("%v", err)
	}
}

var mayBeQuoted = regexp.MustCompile(`(?m)^(>*From )`)

// FuzzMbox writes messages as mboxrd has them: each has to come back.
func FuzzMbox(f *testing.F) {
	f.Add([]byte(mail), []byte(mail))
	f.Add([]byte("A: b\n\n"+from+"C: d\n>From x\n"), []byte("A: b\n\n\n"))
	f.Add([]byte("A: b\n\n>>>From x\r\nFrom "), []byte("A:\r\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var file bytes.Buffer
		var want []string
		for _, m := range [][]byte{first, second} {
			line, _, _ := bytes.Cut(m, []byte("\n"))
			if !isField(line[:min(len(line), longestFrom)]) || bytes.HasPrefix(m, []byte("From ")) {
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
		found, err := Find(path)
		if err != nil || len(found) != 2 {
			t.Fatalf("%d messages, %v", len(found), err)
		}
		for i, m := range found {
			got, err := io.ReadAll(unquote(io.NewSectionReader(bytes.NewReader(file.Bytes()), m.part.start, m.part.end-m.part.start)))
			if err != nil || string(got) != want[i] {
				t.Errorf("%q, want %q; %v", got, want[i], err)
			}
			if m.part.quoted != mayBeQuoted.MatchString(want[i]) {
				t.Errorf("quoted %v: %q", m.part.quoted, want[i])
			}
		}
	})
}

// FuzzSplit takes anything.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(from + mail + "\n" + from + mail))
	f.Add([]byte(from + from + "A: b\n" + from + "C: d"))
	f.Add([]byte(from + "\n\n\n" + from + "C: d\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		parts, err := split(bytes.NewReader(file))
		var glued *GluedError
		if err != nil && !errors.As(err, &glued) {
			t.Fatal(err)
		}
		end := int64(0)
		for _, p := range parts {
			if p.start < end || p.end < p.start || p.end > int64(len(file)) {
				t.Fatalf("%+v of %d octets", parts, len(file))
			}
			end = p.end
		}
	})
}
