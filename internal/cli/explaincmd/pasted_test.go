package explaincmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/i18n"
)

// Texts that users paste: each file of testdata/pasted has a text, a line
// "----" and the expected findings.
func TestReadPasted(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "pasted", "*.txt"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, want, ok := strings.Cut(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n----\n")
			if !ok && !*clitest.Update {
				t.Fatal("no line ----")
			}
			text = strings.TrimSuffix(text, "\n")
			got := understoodIn(text)
			if *clitest.Update {
				if err := os.WriteFile(file, []byte(text+"\n----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// understoodIn lists the findings of a text: class, basis, stage and provider,
// and the words.
func understoodIn(text string) string {
	var b strings.Builder
	for _, p := range readPasted(text) {
		f := diagnosis.Diagnose(p.diagnosisFact())
		fmt.Fprintf(&b, "%s by %s, at %q, of %q\n  %s\n", f.Class, f.Basis, p.stage, p.provider, p.quote)
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

// Every class as yan explain shows it, in both languages: read testdata/explain
// in review.
func TestEveryClassAsShown(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		a, out, _ := testApp(lang)
		for _, c := range diagnosis.Classes() {
			info, ok := diagnosis.Describe(c)
			if !ok {
				t.Fatalf("%s has no description", c)
			}
			f := diagnosis.Finding{Class: c, Retry: info.Retry, Permanence: info.Permanence, Cause: info.Cause, Advice: info.Advice}
			if f.Permanence == "" {
				f.Permanence = map[diagnosis.RetryKind]diagnosis.Permanence{diagnosis.RetryAccepted: diagnosis.AcceptedAlready,
					diagnosis.RetryNever: diagnosis.Permanent, diagnosis.RetryAfterFix: diagnosis.Permanent}[info.Retry.Kind]
			}
			if f.Permanence == "" {
				f.Permanence = diagnosis.Temporary
			}
			a.Outf("%s  %s\n", f.Class, a.permanenceText(f))
			a.PrintFinding(a.Stdout, a.StdoutWidth, f)
			a.Outf("\n")
		}
		clitest.Golden(t, filepath.Join("testdata", "explain", string(lang)+".txt"), out.String())
	}
}

// Numbers that are not replies.
func TestNoReplies(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"hello", "", "\n\n", "took 550 ms", "listening on port 587 now", "2026-11-23 08:00:00,535 INFO started", "127.0.0.1:587 open", "Failed to connect to smtp.gmail.com:587", "connecting to smtp.qq.com:465 ...", "localhost:587", "smtp.qq.com 465",
		"img/550 px wide", "model x-450 is sold out", "status: 5.9.9 whatever", "dsn=4.9.9, nothing is known of that",
		"08:00:00.535 - sent", "order 450123 shipped", "line 450 of main.py", "GET /535 HTTP/1.1", "version 5.4.1 - 550-1200 users",
	} {
		if found := readPasted(text); len(found) != 0 {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// Only a handful of failures, each once, and only from the first megabyte.
func TestReadPastedIsBounded(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 50 {
		fmt.Fprintf(&many, "550 5.1.1 <a%d@example.com> no such user\n550 5.1.1 <a%d@example.com> no such user\n", i, i)
	}
	if found := readPasted(many.String()); len(found) != maxFailures {
		t.Errorf("%d failures", len(found))
	}
	if found := readPasted(strings.Repeat("x\n", maxPasted) + "550 5.1.1 no such user"); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// Every kind of the table is one of package diagnosis, and its words are in
// lower case, as the search requires.
func TestKnownErrors(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, known := range knownErrors() {
		f := diagnosis.Diagnose(pasted{kind: known.kind, stage: known.stage, quote: "x"}.diagnosisFact())
		if (f.Class == diagnosis.ClassUnclassified) != (known.kind == "no_reason") || seen[known.kind] {
			t.Errorf("%s: %s", known.kind, f.Class)
		}
		seen[known.kind] = true
		for _, w := range known.words {
			if w != strings.ToLower(w) {
				t.Errorf("%q is not in lower case", w)
			}
			// An earlier entry of the table wins if its words are contained.
			if got := readPasted("x: " + w); len(got) != 1 {
				t.Errorf("%q is not found", w)
			}
		}
	}
	for mark, id := range providerMarks() {
		if mark != strings.ToLower(mark) || guessProvider("550 x "+mark+" y", "") != id {
			t.Errorf("%q: %q, want %q", mark, guessProvider("550 x "+mark+" y", ""), id)
		}
	}
}

func TestGuessProvider(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ quote, text, want string }{
		{"535 x", "smtp.qq.com:465 says 535 x", "qq"},
		{"535 x", "smtp.exmail.qq.com:465 says 535 x", "exmail"},
		{"535 x", "https://service.mail.qq.com/x and smtp.exmail.qq.com", "exmail"},
		{"535 x", "notsmtp.qq.com, smtp.qq.com.evil.example", ""},
		{"535 x", "me@smtp.qq.com", ""},
		{"535 x", "smtp.qq.com and smtp.gmail.com", ""},
		{"535 x - gsmtp", "smtp.qq.com", "gmail"},
		{"535 x", "Host: SMTP.163.COM.", "netease163"},
		{"535 x", "me@qq.com", ""},
	} {
		for range 5 { // independent of a map's order
			if got := guessProvider(test.quote, test.text); got != test.want {
				t.Errorf("%q, %q: %q, want %q", test.quote, test.text, got, test.want)
			}
		}
	}
}

// FuzzPasted: from any text, each failure fits one line, and nothing moves the
// cursor.
func FuzzPasted(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "pasted", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("550-\n550-5.1.1 \\x\\xd6\\xd0\n(550, b'x")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range readPasted(text) {
			if p.quote == "" || strings.ContainsAny(p.quote, "\n\r\x1b\x00") {
				t.Errorf("%q: quoted as %q", text, p.quote)
			}
			if p.reply.IsZero() == (p.kind == "") {
				t.Errorf("%q: a reply and an error, or neither: %+v", text, p)
			}
		}
		a, _, _ := testApp(i18n.Chinese)
		if err := a.explainPasted(text, explanation{}); err != nil && len(readPasted(text)) > 0 {
			t.Errorf("%q: %v", text, err)
		}
	})
}
