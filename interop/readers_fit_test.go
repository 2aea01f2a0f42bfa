//go:build interop && linux

package interop

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fitCase is a whole message that servers can't accept as it is.
type fitCase struct {
	readerCase // the expected result of a reader after --fit
	// parameters and encoding are the Content-Type parameters and
	// Content-Transfer-Encoding of the saved message.
	parameters, encoding string
	saved                string // its Subject; "" for the one that readers must see
}

func fitCases() []fitCase {
	const chinese, gbk = "姓名,值\n", "\xd0\xd5\xc3\xfb\n"
	text := func(name, file, subject string) fitCase {
		return fitCase{readerCase: readerCase{name: name, file: file, subject: subject, content: chinese, kind: "text/plain", charset: "utf-8"},
			parameters: "; charset=utf-8", encoding: "8bit"}
	}
	longLine := text("long line", "报告.txt", "长行")
	longLine.content = strings.Repeat("一行很长的文字 ", 700) + "\n"
	nul := text("NUL", "报告.txt", "零")
	nul.content = "一\x00二\n"
	recoded := text("base64", "报告.txt", "已编码")
	recoded.encoding = "base64" // unchanged by --fit
	encodedBeside := text("fit, half encoded", "报告.txt", "Re: 雁 你 好 ok")
	encodedBeside.saved = "Re: 雁 =?UTF-8?B?5L2g?= 好 ok"
	return []fitCase{
		text("fit, ascii", "a.txt", "Hello World"),
		text("fit, chinese", "报告.txt", "你好"),
		text("fit, chinese, long", strings.Repeat("季度报告", 15)+".txt", strings.Repeat("雁", 60)),
		text("fit, digits", "2026年第四季度销售情况的报告（含各部门意见汇总）第12稿.txt",
			"关于2026年第四季度销售情况的报告（含各部门意见汇总），请在12月5日前回复"),
		text("fit, odd prefix", "A"+strings.Repeat("雁", 40)+".txt", "é"+strings.Repeat("雁", 40)),
		text("fit, accents", "Grüße.txt", "Straßenfest für alle Größen und Übergrößen in Königsberg und anderswo, übermorgen"),
		text("fit, emoji", "👨‍👩‍👧 1.txt", strings.Repeat("👍🏽🇨🇳", 20)),
		text("fit, quotes", `报 "x" \y.txt`, `"quoted" 你`),
		text("fit, semicolons", "报;b=c, d.txt", "你; b=c"),
		text("fit, percent", "报50%*'s.txt", "=?x ?= 你"),
		encodedBeside,
		text("fit, long ascii name", strings.Repeat("x", 120)+".txt", strings.Repeat("word ", 250)+"end"),
		longLine, nul, recoded,
		{readerCase: readerCase{name: "fit, gbk", file: "表.csv", subject: "表", content: gbk, kind: "text/csv", charset: "gbk"},
			parameters: "; charset=gbk", encoding: "8bit"},
		{readerCase: readerCase{name: "fit, octets", file: "图.bin", subject: "octets", content: "\x00\xff\x00" + strings.Repeat("x", 5000), kind: "application/octet-stream"},
			encoding: "binary"},
	}
}

// TestReadersSeeWhatWasFitted reads messages that --fit changed with the same
// programs: each must see what the saved message said.
func TestReadersSeeWhatWasFitted(t *testing.T) {
	tools := fetchReaders(t)
	dir, err := filepath.Abs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	saved := t.TempDir()
	var files []string
	var cases []readerCase
	for i, c := range fitCases() {
		content := c.content
		c.lines = true
		if c.encoding == "base64" {
			content = "5aeT5ZCNLOWAvAo=\n"
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.file)
		whole := fmt.Sprintf("From: 雁 <me@example.org>\nTo: b@example.org\nSubject: %s\nMessage-ID: <case%d@example.org>\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/mixed; boundary=border\n\n--border\nContent-Type: text/plain\n\nhello\n--border\n"+
			"Content-Type: %s%s\nContent-Disposition: attachment; filename=\"%s\"\nContent-Transfer-Encoding: %s\n\n%s\n--border--\n",
			cmp.Or(c.saved, c.subject), i, c.kind, c.parameters, quoted, c.encoding, strings.TrimSuffix(content, "\n"))
		source := filepath.Join(saved, fmt.Sprintf("case%d.eml", i))
		if err := os.WriteFile(source, []byte(strings.ReplaceAll(whole, "\n", "\r\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(world.yan, "send", "-n", "-q", "--server", "smtps://127.0.0.1", "--raw", "--fit", source).Output()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if header, _, _ := strings.Cut(string(out), "\r\n\r\n"); strings.ContainsFunc(header, func(r rune) bool { return r > 126 }) {
			t.Errorf("%s: the header is not ASCII: %q", c.name, header)
		}
		file := filepath.Join(dir, fmt.Sprintf("case%d.eml", i))
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		files, cases = append(files, file), append(cases, c.readerCase)
	}
	compareReaders(t, tools, dir, files, cases)
}
