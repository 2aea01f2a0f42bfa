//go:build interop && linux

package interop

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readerCase is a message with one attachment, and the expected result of a reader.
type readerCase struct {
	name, file, subject string
	content             string
	kind, charset       string
	want                string // the name, if it differs from the file's
	options             string // of --attach
	lines               bool   // line ends are normalized
}

func readerCases() []readerCase {
	const chinese, gbk = "姓名,值\n", "\xd0\xd5\xc3\xfb\n"
	text := func(name, file, subject string) readerCase {
		return readerCase{name: name, file: file, subject: subject, content: chinese, kind: "text/plain", charset: "utf-8"}
	}
	return []readerCase{
		text("ascii", "a.txt", "Hello World"),
		text("blank", "a b.txt", "[JIRA-1] 你 和 我 OK"),
		text("chinese", "报告.txt", "你好"),
		text("chinese, long", strings.Repeat("季度报告", 15)+".txt", strings.Repeat("雁", 60)),
		text("digits", "2026年第四季度销售情况的报告（含各部门意见汇总）第12稿.txt",
			"关于2026年第四季度销售情况的报告（含各部门意见汇总），请在12月5日前回复"),
		text("odd prefix", "A"+strings.Repeat("雁", 40)+".txt", "é"+strings.Repeat("雁", 40)),
		text("ascii, 70", strings.Repeat("x", 70)+".txt", strings.Repeat("word ", 30)+"end"),
		text("ascii, 120, blanks", strings.Repeat("ab ", 40)+"x.txt", "a   b"),
		text("parentheses", "a(1) [2].txt", "a (b) <c>"),
		text("quotes", `it's "x".txt`, `"quoted" 你`),
		text("semicolons", "a;b=c, d.txt", "a; b=c"),
		text("percent", "50%*'s.txt", "=?x ?="),
		text("accents", "Grüße.txt", "Straßenfest für alle Größen und Übergrößen in Königsberg und anderswo, übermorgen"),
		text("emoji", "👨‍👩‍👧 1.txt", strings.Repeat("👍🏽🇨🇳", 20)),
		{name: "NFD", file: "re\u0301sume\u0301.txt", want: "résumé.txt", subject: "résumé", content: chinese, kind: "text/plain", charset: "utf-8"},
		{name: "csv", file: "data.csv", subject: "csv", content: chinese, kind: "text/csv", charset: "utf-8"},
		{name: "csv in GBK", file: "gbk.csv", subject: "gbk", content: gbk, kind: "text/csv", charset: "gbk", options: ";charset=gbk"},
		{name: "unknown charset", file: "odd.csv", subject: "odd", content: gbk, kind: "application/octet-stream"},
		{name: "another name", file: "data", want: "报表.csv", subject: "name", content: chinese, kind: "text/csv", charset: "utf-8", options: ";name=报表.csv"},
		{name: "avif", file: "图 1.avif", subject: "picture", content: "\x00\x00\x00\x1cftypavif\x00\xff", kind: "image/avif"},
		{name: "octets", file: "a.bin", subject: "octets", content: "\x00\r\n\n\xff.\r\n", kind: "application/octet-stream"},
		{name: "saved message", file: "信.eml", subject: "saved", content: "From: x@example.com\r\nSubject: inner\r\n\r\ntext\r\n", kind: "message/rfc822"},
	}
}

// seen is a message as a reader sees it. A field that a reader does not report
// is nil.
type seen struct {
	File, Subject string
	Attachments   []seenAttachment
}

type seenAttachment struct {
	Name          string
	Type, Charset *string
	Octets        *string // in hexadecimal
	Text          *string
}

// TestReadersSeeWhatWasSent reads messages that yan composes with independent
// programs: each must see the subject, and the attachment's name, type, charset
// and text, if it reports them.
func TestReadersSeeWhatWasSent(t *testing.T) {
	tools := fetchReaders(t)
	dir, err := filepath.Abs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cases := readerCases()
	var files []string
	for i, c := range cases {
		path := filepath.Join(dir, c.file)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(world.yan, "send", "-n", "-q", "-f", "雁 <me@example.org>", "-t", "b@example.org", "--server", "smtps://127.0.0.1",
			"-s", c.subject, "-b", "hello", "--message-id", fmt.Sprintf("case%d@example.org", i), "-a", path+c.options)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		file := filepath.Join(dir, fmt.Sprintf("case%d.eml", i))
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	compareReaders(t, tools, dir, files, cases)
}

// compareReaders lets each reader read the files, one per case, and prints its results.
func compareReaders(t *testing.T, tools, dir string, files []string, cases []readerCase) {
	t.Helper()
	readers := map[string]func(t *testing.T) []seen{
		"python compat32": func(t *testing.T) []seen {
			return jsonReader(t, python, append([]string{"readers/python.py", "compat32"}, files...)...)
		},
		"python default": func(t *testing.T) []seen {
			return jsonReader(t, python, append([]string{"readers/python.py", "default"}, files...)...)
		},
		"Email::MIME": func(t *testing.T) []seen {
			return jsonReader(t, "perl", append([]string{"readers/perl.pl"}, files...)...)
		},
		"mailparser": func(t *testing.T) []seen {
			return jsonReader(t, "node", append([]string{filepath.Join(tools, "node.mjs"), "mailparser"}, files...)...)
		},
		"postal-mime": func(t *testing.T) []seen {
			return jsonReader(t, "node", append([]string{filepath.Join(tools, "node.mjs"), "postal-mime"}, files...)...)
		},
		"enmime":  func(t *testing.T) []seen { return jsonReader(t, filepath.Join(tools, "enmime"), files...) },
		"mblaze":  func(t *testing.T) []seen { return readMblaze(t, files) },
		"ripmime": func(t *testing.T) []seen { return readRipmime(t, files) },
		"notmuch": func(t *testing.T) []seen { return readNotmuch(t, dir, len(files)) },
	}
	table := map[string]map[string]string{}
	for reader, read := range readers {
		list := read(t)
		if len(list) != len(cases) {
			t.Errorf("%s read %d messages of %d", reader, len(list), len(cases))
			continue
		}
		table[reader] = map[string]string{}
		for i, c := range cases {
			verdict := c.judge(list[i])
			if reason := knownFlaw(reader, c.name); verdict != "" && reason != "" {
				table[reader][c.name] = "(" + reason + ")"
				continue
			} else if verdict != "" {
				t.Errorf("%s, %s: %s", reader, c.name, verdict)
				table[reader][c.name] = "WRONG"
				continue
			}
			table[reader][c.name] = "ok"
		}
	}
	printReaders(t, table, cases)
}

// judge returns the error in a reader's result, or "".
func (c readerCase) judge(m seen) string {
	name := c.file
	if c.want != "" {
		name = c.want
	}
	switch {
	case m.Subject != "" && m.Subject != c.subject:
		return fmt.Sprintf("subject %q", m.Subject)
	case len(m.Attachments) != 1:
		return fmt.Sprintf("%d attachments", len(m.Attachments))
	}
	a := m.Attachments[0]
	switch {
	case a.Name != name:
		return fmt.Sprintf("name %q", a.Name)
	case a.Type != nil && *a.Type != c.kind:
		return "type " + *a.Type
	case a.Charset != nil && c.charset != "" && !strings.EqualFold(*a.Charset, c.charset):
		return "charset " + *a.Charset
	case a.Text != nil && c.charset == "utf-8" && inLines(*a.Text) != inLines(c.content):
		return fmt.Sprintf("text %q", *a.Text)
	}
	if a.Octets == nil {
		return ""
	}
	octets, err := hex.DecodeString(*a.Octets)
	same := string(octets) == c.content ||
		(c.lines || c.kind == "message/rfc822") && inLines(string(octets)) == inLines(c.content) ||
		c.charset == "gbk" && inLines(string(octets)) == "姓名" // decoded by the reader
	if err != nil || !same {
		return fmt.Sprintf("octets %q", octets)
	}
	return ""
}

func printReaders(t *testing.T, table map[string]map[string]string, cases []readerCase) {
	t.Helper()
	var names []string
	for reader := range table {
		names = append(names, reader)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-20s", "")
	for _, reader := range names {
		fmt.Fprintf(&b, "%-17s", reader)
	}
	for _, c := range cases {
		fmt.Fprintf(&b, "\n%-20s", c.name)
		for _, reader := range names {
			fmt.Fprintf(&b, "%-17s", table[reader][c.name])
		}
	}
	t.Log(b.String())
}

func fetchReaders(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", ".cache", "interop", "readers"))
	if err != nil {
		t.Fatal(err)
	}
	fetchOrSkip(t, "the readers", filepath.Join("readers", "readers.sh"), "fetch", folder)
	return folder
}

// jsonReader runs a reader that prints one JSON object for each message.
func jsonReader(t *testing.T, program string, args ...string) []seen {
	t.Helper()
	var problems bytes.Buffer
	command := exec.Command(program, args...)
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, problems.String())
	}
	var list []seen
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var m seen
		if err := d.Decode(&m); err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		list = append(list, m)
	}
	return list
}

func readMblaze(t *testing.T, files []string) []seen {
	t.Helper()
	out, err := exec.Command("/bin/sh", append([]string{filepath.Join("readers", "mblaze.sh")}, files...)...).Output()
	if err != nil {
		t.Fatalf("mblaze: %v", err)
	}
	var list []seen
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		kind, rest, _ := strings.Cut(s.Text(), " ")
		switch kind {
		case "file":
			list = append(list, seen{File: rest})
		case "subject":
			list[len(list)-1].Subject = rest
		case "part":
			f := strings.SplitN(rest, " ", 3)
			m := &list[len(list)-1]
			m.Attachments = append(m.Attachments, seenAttachment{Name: f[2], Type: &f[0], Octets: &f[1]})
		}
	}
	return list
}

// readRipmime lets ripmime write each message's attachments into a directory.
func readRipmime(t *testing.T, files []string) []seen {
	t.Helper()
	var list []seen
	for _, file := range files {
		dir := t.TempDir()
		if out, err := exec.Command("ripmime", "-i", file, "-d", dir).CombinedOutput(); err != nil {
			t.Fatalf("ripmime: %v\n%s", err, out)
		}
		m := seen{File: file}
		written, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range written {
			content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(entry.Name(), "textfile") { // the message's own text
				continue
			}
			octets := hex.EncodeToString(content)
			m.Attachments = append(m.Attachments, seenAttachment{Name: entry.Name(), Octets: &octets})
		}
		list = append(list, m)
	}
	return list
}

// notmuchPart is a part in the output of "notmuch show".
type notmuchPart struct {
	Filename    string          `json:"filename"`
	Type        string          `json:"content-type"`
	Charset     *string         `json:"content-charset"`
	Disposition string          `json:"content-disposition"`
	Content     json.RawMessage `json:"content"`
}

func readNotmuch(t *testing.T, dir string, n int) []seen {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("[database]\npath="+dir+"\n[user]\nname=x\nprimary_email=x@example.org\n[new]\ntags=\nignore=/.*[.](txt|csv|avif|bin)/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []byte {
		command := exec.Command("notmuch", args...)
		command.Env = append(os.Environ(), "NOTMUCH_CONFIG="+config)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("notmuch %v: %v", args, err)
		}
		return out
	}
	run("new", "--quiet")
	var list []seen
	for i := range n {
		var threads [][][]json.RawMessage
		var m struct {
			Headers struct{ Subject string }
			Body    []notmuchPart
		}
		out := run("show", "--format=json", "--entire-thread=false", fmt.Sprintf("id:case%d@example.org", i))
		if err := json.Unmarshal(out, &threads); err != nil || json.Unmarshal(threads[0][0][0], &m) != nil {
			t.Fatalf("notmuch: %v\n%s", err, out)
		}
		s := seen{Subject: m.Headers.Subject}
		var parts []notmuchPart
		if err := json.Unmarshal(m.Body[0].Content, &parts); err != nil {
			t.Fatalf("notmuch: %v\n%s", err, out)
		}
		for _, p := range parts {
			if p.Disposition == "attachment" {
				s.Attachments = append(s.Attachments, seenAttachment{Name: p.Filename, Type: &p.Type, Charset: p.Charset})
			}
		}
		list = append(list, s)
	}
	return list
}

// inLines normalizes line ends, and removes those at the end.
func inLines(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n") }

// knownFlaw describes a reader's known error with a correct message; "" for
// everything else.
func knownFlaw(reader, name string) string {
	return map[string]string{
		"ripmime, chinese, long":      "cuts names",
		"ripmime, quotes":             "cuts names",
		"ripmime, fit, chinese, long": "cuts names",
		"ripmime, fit, quotes":        "cuts names",
		"notmuch, saved message":      "has no name",
		"mailparser, unknown charset": "by extension",
	}[reader+", "+name]
}
