package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sandboxtest"
)

func readmes() []string { return []string{"README.md", "README.zh-CN.md"} }

// The lines of Go in the READMEs are one program, which is compiled.
func TestProgramsInTheReadmes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to compile them")
	}
	root := filepath.Join("..", "..")
	for _, name := range readmes() {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n```go\n")[1:]
		if len(blocks) < 2 {
			t.Errorf("%s: %d programs", name, len(blocks))
		}
		var body strings.Builder
		for _, block := range blocks {
			program, _, _ := strings.Cut(block, "\n```")
			body.WriteString(program + "\n")
		}
		file := filepath.Join(t.TempDir(), "main.go")
		source := "package main\n\nimport (\n\"context\"\n\"database/sql\"\n\"fmt\"\n\"iter\"\n\n\"github.com/yanmail/yan\"\n\"github.com/yanmail/yan/account\"\n\"github.com/yanmail/yan/outbox\"\n)\n\nfunc main() {}\n\n" +
			"func program(ctx context.Context, code string, messages iter.Seq[yan.Message], tx *sql.Tx, message yan.Message) error {\n" + body.String() + "return err\n}\n\nvar _ = program\n"
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		vet := exec.CommandContext(t.Context(), "go", "vet", file)
		vet.Dir = root
		if out, err := vet.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", name, err, out, source)
		}
	}
}

// The command for many messages in the READMEs sends a Maildir, an mbox file, a
// folder and a file, and nothing a second time.
func TestManyMessagesOfTheReadmes(t *testing.T) {
	t.Parallel()
	for _, name := range readmes() {
		var args []string
		for _, line := range documentLines(t)[filepath.Join("..", "..", name)] {
			if strings.HasPrefix(line, "yan send") && strings.Contains(line, "--log") {
				args = yanCommands(line)[0]
			}
		}
		if args == nil {
			t.Fatalf("%s has no such command", name)
		}
		s, home := sandboxtest.Start(t, "qq"), t.TempDir()
		for i, arg := range args {
			switch {
			case arg == "qq":
				args[i] = s.URL()
			case strings.ContainsAny(arg, "~./") && !strings.HasPrefix(arg, "--"):
				args[i] = filepath.Join(home, strings.TrimPrefix(arg, "~/"))
			}
		}
		write := func(file, format string) {
			path := filepath.Join(home, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("From: me@qq.com\nTo: friend@example.org\nSubject: %s\n\nHello World\n", filepath.Base(file))
			if err := os.WriteFile(path, []byte(fmt.Sprintf(format, text, text)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{"Maildir/new/1.host", "Maildir/cur/2.host:2,S", "invoices/one.eml", "invoices/two.eml", "letter.eml"} {
			if os.PathSeparator == '\\' { // Windows has no colon in a name
				file = strings.ReplaceAll(file, ":2,S", "")
			}
			write(file, "%[1]s")
		}
		const fromLine = "From me@qq.com Mon Nov 23 04:25:28 2026\n"
		write("archive.mbox", fromLine+"%s\n"+fromLine+"%s")
		for _, want := range []string{": 7 sent\n", ": 7 sent before\n"} {
			code, out, errs := run(t.Context(), login(s), append(args, "--tls-ca", s.CAFile())...)
			if code != exitOK || !strings.Contains(out, want) {
				t.Errorf("%s: exit status %d, want%s%s%s", name, code, want, out, errs)
			}
		}
		if got := len(s.WaitMessages(7)); got != 7 {
			t.Errorf("%s: %d messages came", name, got)
		}
	}
}

// What the READMEs count is counted.
func TestCountsInTheReadmes(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, r := range diagnosis.Rows() {
		rows[strings.TrimRight(r.ID, "abcdefghijklmnopqrstuvwxyz")] = true
	}
	counts := map[string][]string{
		"README.md":       {fmt.Sprintf("%d kinds of reply", len(rows)), fmt.Sprintf("%d providers", len(provider.All()))},
		"README.zh-CN.md": {fmt.Sprintf("%d 种服务器应答", len(rows)), fmt.Sprintf("%d 家服务商", len(provider.All()))},
	}
	for _, name := range readmes() {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, count := range counts[name] {
			if !strings.Contains(string(text), count) {
				t.Errorf("%s does not say %q", name, count)
			}
		}
	}
}
