package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sandboxtest"
)

func readmes() []string { return []string{"README.md", "README.zh-CN.md"} }

// The Go code of each README is one function of a program, which the test compiles.
func TestProgramsInTheReadmes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to compile them")
	}
	source := "package main\n\nimport (\n\"context\"\n\"database/sql\"\n\"fmt\"\n\"iter\"\n\n\"github.com/yanmail/yan\"\n\"github.com/yanmail/yan/account\"\n\"github.com/yanmail/yan/outbox\"\n)\n\nfunc main() {}\n"
	for i, name := range readmes() {
		blocks := strings.Split(readmeText(t, name), "\n```go\n")[1:]
		if len(blocks) < 2 {
			t.Errorf("%s: %d programs", name, len(blocks))
		}
		var body strings.Builder
		for _, block := range blocks {
			program, _, _ := strings.Cut(block, "\n```")
			body.WriteString(program + "\n")
		}
		source += fmt.Sprintf("\n// %s\nfunc program%d(ctx context.Context, code string, messages iter.Seq[yan.Message], tx *sql.Tx, message yan.Message) error {\n%sreturn err\n}\n\nvar _ = program%d\n",
			name, i, body.String(), i)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	vet := exec.CommandContext(t.Context(), "go", "vet", file)
	vet.Dir = filepath.Join("..", "..")
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, source)
	}
}

// readmeText returns a README with the line ends of Unix.
func readmeText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// The first program of each README reports every error: a server that does not reply, an invalid
// address, a refused recipient.
func TestFirstProgramOfTheReadmes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to compile it")
	}
	s := sandboxtest.Start(t, "qq")
	source := "package main\n\nimport (\n\"context\"\n\"fmt\"\n\"os\"\n\n\"github.com/yanmail/yan\"\n)\n"
	for i, name := range readmes() {
		_, after, ok := strings.Cut(readmeText(t, name), "```go\nclient, err := yan.Open(")
		program, _, _ := strings.Cut(after, "```")
		program = "client, err := yan.Open(" + program
		for from, to := range map[string]string{`yan.Open("qq"`: "yan.Open(os.Args[2]", `[]string{"friend@163.com"}`: "os.Args[4:]", "Password: code": "Password: code, CAFile: os.Args[3]", `	Attachments: []yan.Attachment{yan.File("report.pdf")},`: ""} {
			ok = ok && strings.Contains(program, from)
			program = strings.ReplaceAll(program, from, to)
		}
		if !ok {
			t.Fatalf("%s: the program has another form:\n%s", name, program)
		}
		source += fmt.Sprintf("\n// %s\nfunc program%d(ctx context.Context, code string) error {\n%sreturn nil\n}\n", name, i, program)
	}
	source += "\nfunc main() {\nprogram := program0\nif os.Args[1] == \"1\" {\nprogram = program1\n}\nif err := program(context.Background(), \"" + sandboxPassword + "\"); err != nil {\nfmt.Println(\"error:\", err)\n}\n}\n"
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program.exe")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, file)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, source)
	}
	for i, name := range readmes() {
		for _, c := range []struct {
			args []string
			want []string
		}{
			{[]string{s.URL(), s.CAFile(), "friend@example.org"}, []string{"friend@example.org: accepted"}},
			{[]string{s.URL(), s.CAFile(), "rcpt-550@example.org", "friend@example.org"}, []string{"rcpt-550@example.org: refused", "friend@example.org: accepted", "error: 1 of 2 recipients not accepted"}},
			{[]string{"smtps://me%40qq.com@127.0.0.1:1", s.CAFile(), "friend@example.org"}, []string{"not tried", "refused", "error: "}},
			{[]string{s.URL(), s.CAFile(), "not an address"}, []string{"error: ", `not an address`}},
		} {
			out, err := exec.CommandContext(t.Context(), binary, append([]string{strconv.Itoa(i)}, c.args...)...).CombinedOutput()
			for _, want := range c.want {
				if err != nil || !strings.Contains(string(out), want) {
					t.Errorf("%s, %q: %v, want %q in\n%s", name, c.args, err, want, out)
				}
			}
			if strings.Contains(string(out), "--") || strings.Contains(string(out), "administrator") {
				t.Errorf("%s, %q: names flags, or an administrator:\n%s", name, c.args, out)
			}
		}
	}
}

// The command for many messages in the READMEs sends a Maildir, an mbox file, a folder and a file,
// and sends nothing twice.
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
			if os.PathSeparator == '\\' { // Windows allows no colon in a name
				file = strings.ReplaceAll(file, ":2,S", "")
			}
			write(file, "%[1]s")
		}
		const fromLine = "From me@qq.com Mon Nov 23 04:25:28 2026\n"
		write("archive.mbox", fromLine+"%s\n"+fromLine+"%s")
		for _, want := range []string{": 7 sent\n", ": 7 sent before\n"} {
			code, out, errs := run(t.Context(), login(s), append(args, "--tls-ca", s.CAFile())...)
			if code != command.ExitOK || !strings.Contains(out, want) {
				t.Errorf("%s: exit status %d, want%s%s%s", name, code, want, out, errs)
			}
		}
		if got := len(s.WaitMessages(7)); got != 7 {
			t.Errorf("%s: %d messages arrived", name, got)
		}
	}
}

// The numbers in the READMEs are right.
func TestCountsInTheReadmes(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, r := range replytable.Load().Rows {
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
