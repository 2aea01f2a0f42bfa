package mbox

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	from = "From me@example.org Mon Nov 23 04:25:28 2026\n"
	mail = "From: a@example.org\nTo: b@example.org\n\nhello\n"
)

// texts returns the parts of a file, which is read in several ways.
func texts(t *testing.T, in string, rule Rule) ([]string, []Part, error) {
	t.Helper()
	parts, err := Split(strings.NewReader(in), rule)
	for _, r := range []io.Reader{iotest.OneByteReader(strings.NewReader(in)), iotest.HalfReader(strings.NewReader(in))} {
		again, err2 := Split(r, rule)
		if fmt.Sprint(again, err2) != fmt.Sprint(parts, err) {
			t.Errorf("%q: %v, %v; read in pieces: %v, %v", in, parts, err, again, err2)
		}
	}
	var got []string
	for _, p := range parts {
		got = append(got, in[p.Start:p.End])
	}
	return got, parts, err
}

func TestSplit(t *testing.T) {
	t.Parallel()
	const git = "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n"
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for _, test := range []struct {
		name, in string
		want     []string
	}{
		{"no mbox", mail, nil},
		{"empty", "", nil},
		{"a field", "From : a@b.c\n\nx\n\nFrom : d\nx: y\n", nil},
		{"one message as some program saved it", "From me Sun Mar  1 2026\n" + mail, []string{mail}},
		{"two without any date", "From me@example.org\n" + mail + "\nFrom you@example.org\n" + mail, []string{mail, mail}},
		{"one", from + mail, []string{mail}},
		{"one, with its empty line", from + mail + "\n", []string{mail}},
		{"two", from + mail + "\n" + from + mail + "\n", []string{mail, mail}},
		{"the last line is open", from + mail + "\n" + from + "To: x", []string{mail, "To: x"}},
		{"an empty line belongs to the message", from + mail + "\n\n" + from + mail, []string{mail + "\n", mail}},
		{"CRLF", crlf(from + mail + "\n" + from + mail), []string{crlf(mail), crlf(mail)}},
		{"CR", strings.ReplaceAll(from+mail+"\n"+from+mail, "\n", "\r"),
			[]string{strings.ReplaceAll(mail, "\n", "\r"), strings.ReplaceAll(mail, "\n", "\r")}},
		{"text that begins with From", from + mail + "\nFrom here on: x\n", []string{mail + "\nFrom here on: x\n"}},
		{"text before no field", from + mail + "\nFrom here on\nx\n", []string{mail + "\nFrom here on\nx\n"}},
		{"quoted", from + mail + "\n>" + from + mail, []string{mail + "\n>" + from + mail}},
		{"a byte order mark", "\xef\xbb\xbf" + from + mail, []string{mail}},
		{"From_ lines alone", from + from, []string{from}},
		{"a From_ line alone", from, []string{""}},
		{"UUCP", from + ">From a Mon Nov 23 04:25:28 2026 remote from b\n" + mail + "\n" + from + ">From a\n" + mail, []string{mail, mail}},
		{"a patch series", git + mail + "\n" + git + mail, []string{mail, mail}},
		{"Content-Length", from + "Content-Length: " + fmt.Sprint(len("\n"+git+mail)) + "\nTo: x\n\n\n" + git + mail + "\n" + from + mail,
			[]string{"Content-Length: " + fmt.Sprint(len("\n"+git+mail)) + "\nTo: x\n\n\n" + git + mail, mail}},
		{"Content-Length to the end", from + "Content-Length: " + fmt.Sprint(len("\n"+from+mail)) + "\nTo: x\n\n\n" + from + mail,
			[]string{"Content-Length: " + fmt.Sprint(len("\n"+from+mail)) + "\nTo: x\n\n\n" + from + mail}},
		{"Content-Length and no empty line", from + "Content-Length: 2\n\nx\n" + from + mail, []string{"Content-Length: 2\n\nx\n", mail}},
		{"a wrong Content-Length", from + "Content-Length: 4\n\nx\n\n" + from + mail, []string{"Content-Length: 4\n\nx\n", mail}},
		{"a Content-Length beyond the end", from + "Content-Length: 999\n\nx\n\n" + from + mail, []string{"Content-Length: 999\n\nx\n", mail}},
		{"two that differ", from + "Content-Length: 5\nContent-Length: 2\n\nx\n\n" + from + mail, []string{"Content-Length: 5\nContent-Length: 2\n\nx\n", mail}},
	} {
		got, _, err := texts(t, test.in, Refuse)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if strings.Join(got, "§") != strings.Join(test.want, "§") || len(got) != len(test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// spellings returns ways in which programs write the line before a message.
func spellings() []string {
	return []string{
		"From a@example.com Mon Jan  1 10:00:00 2024", // ctime
		"From - Mon Jan 01 10:00:00 2024",             // Thunderbird
		"From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
		"From 17@xxx Mon Jan 01 00:00:00 +0000 2024", // an archive of Gmail
		"From a@example.com  Mon Jan  1 10:00:00 2024 +0100",
		"From a at example.com  Mon Jan  1 10:00:00 2024", // a list's archive
		"From ???@??? Mon Jan 01 10:00:00 2024",           // Eudora
		"From me Mon Jan  1 00:00 EST 2024 remote from host",
		"From \"a b\"@example.org  Mon Nov 23 04:25:28 MET DST 2026",
		"From a@example.com Mon, 01 Jan 2024 10:00:00 +0000", // a date of RFC 5322
		"From a@example.com Mon, 1 Jan 2024 10:00:00 GMT",
		"From a@example.com 1 Jan 2024 10:00",
		"From a@example.com 2024-01-01 10:00:00",
		"From a@example.com 2024-01-01T10:00:00Z",
		"From a@example.com Monday January 1 10:00:00 2024",
		"From a@example.com",
		"From a",
		"From me Sun Mar  1 2026",
		"From a@example.com lundi 1 janvier 2024",
		"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001", // git
	}
}

// Two messages are never joined, whatever the spelling of the date. For each pair of spellings,
// equal lines split a file, unequal ones make it ambiguous, and a rule decides.
func TestEverySpelling(t *testing.T) {
	t.Parallel()
	alike, unlike := 0, 0
	for _, one := range spellings() {
		for _, two := range spellings() {
			in := one + "\n" + mail + "\n" + two + "\n" + mail
			got, _, err := texts(t, in, Refuse)
			var ambiguous *UnlikeError
			switch {
			case err == nil && len(got) == 2 && got[0] == mail && got[1] == mail:
				alike++
			case errors.As(err, &ambiguous) && ambiguous.Line == 7 && one != two:
				unlike++
				if got, _, err := texts(t, in, Every); err != nil || len(got) != 2 {
					t.Errorf("%q, every: %q, %v", in, got, err)
				}
				if got, _, err := texts(t, in, Alike); err != nil || len(got) != 1 {
					t.Errorf("%q, alike: %q, %v", in, got, err)
				}
			default:
				t.Errorf("%q: %q, %v", in, got, err)
			}
		}
	}
	if n := len(spellings()); alike+unlike != n*n || alike < n+50 || unlike < n {
		t.Errorf("%d alike, %d unlike", alike, unlike)
	}
}

// A patch quoted in mail is never split off by default, whatever the line before the mail looks
// like.
func TestQuotedPatch(t *testing.T) {
	t.Parallel()
	for _, line := range spellings()[:len(spellings())-1] {
		for _, hash := range []string{strings.Repeat("0a", 20), strings.Repeat("f9", 32)} {
			in := line + "\nFrom: a@example.com\nTo: b@example.org\n\nHere:\n\nFrom " + hash + " Mon Sep 17 00:00:00 2001\nFrom: dev@example.net\nTo: list@example.net\n\n---\n"
			var ambiguous *UnlikeError
			if got, _, err := texts(t, in, Refuse); !errors.As(err, &ambiguous) || ambiguous.Line != 7 {
				t.Errorf("%s: %q, %v", line, got, err)
			}
		}
	}
}

func TestAmbiguous(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		line int
		want any
	}{
		{from + mail + from + mail, 6, &GluedError{}},
		{from + mail + "From a@example.com Mon, 01 Jan 2024 10:00:00 +0000\n" + mail, 6, &GluedError{}},
		{from + mail + "\n" + from + "\nquoted\n", 7, &BareError{}},
		{from + mail + "\n" + from, 7, &BareError{}},
		{from + mail + "\n" + from + "no field\n", 7, &BareError{}},
		{from + mail + "\nFrom here on we go\nNote: slowly\n", 7, &UnlikeError{}},
	} {
		got, _, err := texts(t, test.in, Refuse)
		if want := fmt.Sprintf("%T line %d ", test.want, test.line); err == nil || !strings.HasPrefix(fmt.Sprintf("%T %v", err, err), want) {
			t.Errorf("%q: %q, %v, want %s", test.in, got, err, want)
		}
	}
	if _, err := Split(iotest.ErrReader(errors.New("broken")), Refuse); err == nil || err.Error() != "broken" {
		t.Errorf("%v", err)
	}
	// Text between messages is no reason to refuse a file.
	for _, text := range []string{"From here on\nwe go\n", "\nFrom here on\nwe go\n", "it came\nFrom there\nNote: x\n"} {
		if got, _, err := texts(t, from+mail+text+"\n"+from+mail, Refuse); err != nil || len(got) != 2 {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header string
		want   Mark
	}{
		{"X-Mozilla-Status: 0009\n", Deleted},
		{"X-Mozilla-Status: 0001\n", Live},
		{"X-Mozilla-Status: 0008\nX-Mozilla-Status2: 00000000\n", Deleted},
		{"x-mozilla-status2: 00200000\n", Deleted},
		{"X-Mozilla-Status: 1000\nX-Mozilla-Status2: 10000000\n", Live},
		{"X-Mozilla-Status: zz\n", Live},
		{"Status: RO\nX-Status: AF\n", Live},
		{"Status: ROD\n", Deleted},
		{"X-Status: D\n", Deleted},
		{"X-Status: T\n", Draft},
		{"X-Status: TD\nStatus: RO\n", Deleted},
		{"Status: T\n", Live},
		{"X-Evolution: 0000001a-0002\n", Deleted},
		{"X-Evolution: 0000001a-0012; a=b\n", Deleted},
		{"X-Evolution: 0000001a-0004\n", Draft},
		{"X-Evolution: 00000002-0010\n", Live},
		{"X-Evolution: 0002\n", Live},
		{"From: Mail System Internal Data <MAILER-DAEMON@host>\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\nStatus: RO\n", Internal},
		{"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nFrom: me@example.org\n", Live},
		{"X-IMAPbase: 1 2\nFrom: me@example.org\n", Live},
		{"Subject: x\n\nX-Status: D\n", Live},
	} {
		for _, header := range []string{test.header, strings.ReplaceAll(test.header, "\n", "\r\n")} {
			for _, in := range []string{from + header, from + header + "\nx\n", from + header + "\nx\n\n" + from + mail, from + mail + "\n" + from + header} {
				_, parts, err := texts(t, in, Refuse)
				if err != nil {
					t.Fatal(err)
				}
				i := 0
				if strings.HasPrefix(in, from+mail) {
					i = 1
				}
				if parts[i].Mark != test.want {
					t.Errorf("%q: mark %d, want %d", in, parts[i].Mark, test.want)
				}
			}
		}
	}
}

// A file whose Content-Length was right before its line ends became CR LF is split as before.
func TestContentLengthOutlivesCRLF(t *testing.T) {
	t.Parallel()
	text := "see:\n\n" + from + "From: c@example.net\nTo: stranger@example.net\n\nquoted\n"
	message := func(length int) string {
		return fmt.Sprintf("From: a@example.org\nTo: b@example.org\nContent-Length: %d\n\n%s", length, text)
	}
	one := message(len(text))
	for name, in := range map[string]string{
		"empty lines between": from + one + "\n" + from + one + "\n", "none at the end": from + one + "\n" + from + one,
		"none at all": from + one + from + one,
	} {
		for i, in := range []string{in, strings.ReplaceAll(in, "\n", "\r\n")} {
			want := []string{one, strings.ReplaceAll(one, "\n", "\r\n")}[i]
			got, _, err := texts(t, in, Refuse)
			if err != nil || len(got) != 2 || got[0] != want || got[1] != want {
				t.Errorf("%s, %d: %q, %v", name, i, got, err)
			}
		}
	}
	wrong := strings.ReplaceAll(from+message(len(text)+3)+"\n"+from+message(len(text)+3)+"\n", "\n", "\r\n")
	if got, _, err := texts(t, wrong, Refuse); err != nil || len(got) != 4 {
		t.Errorf("lengths that lead nowhere: %q, %v", got, err)
	}
}

// FuzzSplit reads random files.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(from+mail+"\n"+from+mail), 0)
	f.Add([]byte(from+from+"A: b\n"+from+"C: d"), 1)
	f.Add([]byte(from+"\n\n\n"+from+"C: d\n\n"), 2)
	f.Add([]byte(from+"Content-Length: 3\n\nx\r\r\n\r"+from+"C: d\n\n"), 2)
	f.Fuzz(func(t *testing.T, file []byte, rule int) {
		_, parts, _ := texts(t, string(file), Rule(rule%3))
		end, line := int64(0), 0
		for _, p := range parts {
			if p.Start < end || p.End < p.Start || p.End > int64(len(file)) || p.Line <= line {
				t.Fatalf("%+v of %d octets", parts, len(file))
			}
			end, line = p.End, p.Line
		}
	})
}
