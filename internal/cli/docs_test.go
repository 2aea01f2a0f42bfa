package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/settingsimport"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func exitFor(t *testing.T, err error) int {
	t.Helper()
	to, parseErr := smtp.ParseAddress("a@example.org")
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	o := smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: smtp.StageConnect, Err: err}
	return verdict.ExitStatus(yan.Result{Recipients: []smtp.Outcome{o}}, "")
}

// commands returns all visible commands.
func commands(t *testing.T, lang i18n.Language) []*cobra.Command {
	t.Helper()
	a, _, _ := testApp(lang)
	list := command.WithSubcommands(a.rootCommand(""))
	if len(list) < 20 {
		t.Fatalf("only %d commands", len(list))
	}
	return list
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		for _, cmd := range commands(t, lang) {
			name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help", "--lang", string(lang))
			code, out, errs := run(t.Context(), nil, args...)
			if code != command.ExitOK || errs != "" {
				t.Fatalf("%s: exit status %d: %s", name, code, errs)
			}
			clitest.Golden(t, filepath.Join("testdata", "help", string(lang), name+".txt"), out)
			for i, line := range strings.Split(out, "\n") {
				example := strings.Contains(line, "yan ") && strings.HasPrefix(line, "  ")
				if console.Columns(line) > 80 && !example {
					t.Errorf("%s, line %d is %d columns wide: %s", name, i+1, console.Columns(line), line)
				}
			}
			if strings.Contains(out, "stringArray") || strings.Contains(out, "`") {
				t.Errorf("%s: a flag without a name for its value", name)
			}
		}
	}
}

// A wider terminal gets longer lines; in a narrow one no line wraps.
func TestHelpFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{50, 100, 300} {
		w, out, _ := testEnv(nil)
		w.StdoutWidth, w.NoColor = width, true
		if code := Run(t.Context(), []string{"sandbox", "--help"}, w); code != command.ExitOK {
			t.Fatal(code)
		}
		longest := 0
		for line := range strings.Lines(out.String()) {
			longest = max(longest, console.Columns(strings.TrimSpace(line)))
		}
		if longest > min(width, 110) || longest < width/2 && width < 110 {
			t.Errorf("on %d columns the longest line has %d", width, longest)
		}
	}
}

// roffRequest matches the roff requests that the pages use.
var roffRequest = regexp.MustCompile(`^\.(TH|SH|PP|TP|br|nh|ad l|nf|fi)\b`)

func TestManualPages(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		var files []string
		dir := t.TempDir()
		for _, cmd := range commands(t, lang) {
			a, _, _ := testApp(lang)
			page := a.Roff(a.Page(cmd))
			if !strings.HasPrefix(page, ".TH ") || strings.Count(page, "\n.SH ") < 3 {
				t.Errorf("%s has no sections:\n%s", cmd.CommandPath(), page)
			}
			for i, line := range strings.Split(page, "\n") {
				if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !roffRequest.MatchString(line) {
					t.Errorf("%s, line %d is an unexpected request: %s", cmd.CommandPath(), i+1, line)
				}
			}
			if strings.Contains(page, `\-\-RAW`) {
				t.Errorf("%s: a flag in capitals", cmd.CommandPath())
			}
			if strings.Contains(page, "Name <address>") != strings.Contains(cmd.CommandPath(), "send") && lang == i18n.English {
				t.Errorf("%s: the brackets of an address are lost", cmd.CommandPath())
			}
			file := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
			if err := os.WriteFile(filepath.Join(dir, file), []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		groff, err := exec.LookPath("groff")
		if err != nil {
			continue
		}
		check := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-Kutf8", "-Tutf8", "-z"}, files...)...)
		check.Dir = dir
		out, err := check.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			// Without its Chinese macros groff breaks lines only at blanks.
			if !strings.Contains(line, "can't break line") {
				t.Errorf("%s: groff: %s", lang, line)
			}
		}
		if err != nil {
			t.Errorf("%s: groff: %v", lang, err)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range shellNames() {
		code, script, errs := run(t.Context(), nil, "completion", shell)
		if code != command.ExitOK || !strings.Contains(script, "yan") || !strings.Contains(script, "__complete") {
			t.Errorf("%s: exit status %d: %s", shell, code, errs)
		}
		path, err := exec.LookPath(shell)
		if err != nil || shell == "powershell" {
			continue
		}
		check := exec.CommandContext(t.Context(), path, "-n")
		check.Stdin = strings.NewReader(script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"send", "--server", ""}, []string{"qq", "gmail", "netease163"}},
		{[]string{"providers", ""}, []string{"qq"}},
		{[]string{"send", "--auth", ""}, []string{"PLAIN", "XOAUTH2"}},
		{[]string{"send", "--quit-after", ""}, []string{"connect", "tls", "greeting", "ehlo", "auth", "mail", "rcpt"}},
		{[]string{"send", "--to-policy", ""}, []string{"all", "any"}},
		{[]string{"sandbox", "--profile", ""}, []string{"qq", "plain"}},
		{[]string{"sandbox", "--fault", ""}, []string{"body=cut"}},
		{[]string{"sandbox", "--limit", ""}, []string{"help", "messages=", "rcptmax="}},
		{[]string{"sandbox", "--quirk", ""}, []string{"help", "loses-group"}},
		{[]string{"send", "--resend", ""}, []string{"unknown", "refused"}},
		{[]string{"send", "--no-p"}, []string{"--no-pipelining"}},
		{[]string{"explain", "--stage", ""}, []string{"rcpt"}},
		{[]string{"completion", ""}, shellNames()},
		{[]string{"queue", ""}, []string{"list", "show", "watch", "run", "hold", "release", "retry", "cancel", "resolve", "export", "stats", "prune"}},
		{[]string{"queue", "--state", ""}, append([]string{"scheduled"}, stateNames()...)},
		{[]string{"send", "--priority", ""}, queue.PriorityWords()},
		{[]string{"account", ""}, []string{"list", "show", "edit", "test", "remove", "import", "default"}},
		{[]string{"account", "import", "--from", ""}, programNames()},
		{[]string{"account", "edit", "--unset", ""}, []string{"from", "secret.command"}},
		{[]string{"config", ""}, []string{"show", "check", "path"}},
		{[]string{"man", ""}, []string{"send"}},
		{[]string{""}, []string{"send", "demo"}},
	} {
		_, out, _ := run(t.Context(), nil, append([]string{"__complete"}, test.args...)...)
		var words []string
		for line := range strings.Lines(out) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			words = append(words, word)
		}
		for _, want := range test.want {
			if !slices.Contains(words, want) {
				t.Errorf("%q does not complete %q: %q", test.args, want, words)
			}
		}
	}
}

// TestCommandLinesInTheDocuments checks every "yan …" in the fenced blocks of the documents and in
// the examples of the help: the command and the flags exist, and the values have the right type.
// Commands that need no account are run.
func TestCommandLinesInTheDocuments(t *testing.T) {
	t.Parallel()
	lines := documentLines(t)
	for _, cmd := range commands(t, i18n.English) {
		for line := range strings.Lines(cmd.Example) {
			lines[cmd.CommandPath()+" --help"] = append(lines[cmd.CommandPath()+" --help"], strings.TrimSpace(line))
		}
	}
	checked := 0
	for where, list := range lines {
		for _, line := range list {
			for _, args := range yanCommands(line) {
				checked++
				if err := parses(args); err != nil {
					t.Errorf("%s: %s: %v", where, line, err)
				}
				if args[0] == "demo" || args[0] == "explain" || args[0] == "version" || args[0] == "providers" {
					if code, _, errs := run(t.Context(), nil, args...); code != command.ExitOK {
						t.Errorf("%s: %s: exit status %d: %s", where, line, code, errs)
					}
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d command lines found", checked)
	}
}

// documentLines returns the shell lines in fenced blocks, by file. In a block with output, only
// lines that start with "$ " count.
func documentLines(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	files := []string{}
	for _, pattern := range []string{"README*.md", "CONTRIBUTING*.md", filepath.Join("docs", "*.md"), filepath.Join("docs", "*", "*.md")} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	lines := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		language, open := "", false
		for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
			line = strings.TrimRight(line, "\r\n")
			if fence, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); ok {
				open, language = !open, fence
				continue
			}
			prompt, isPrompt := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			switch {
			case !open || !slices.Contains([]string{"console", "sh", "shell", "bash", "powershell"}, language):
			case isPrompt:
				lines[file] = append(lines[file], prompt)
			case language != "console":
				lines[file] = append(lines[file], line)
			}
		}
	}
	return lines
}

// yanCommands returns the arguments of each call of yan in a shell line.
func yanCommands(line string) [][]string {
	line, _, _ = strings.Cut(line, " # ")
	var found [][]string
	for _, part := range splitCommands(line) {
		words := shellWords(part)
		for i, word := range words {
			isRun := word == "./cmd/yan" && i > 1 && words[i-1] == "run"
			if word != "yan" && !isRun {
				if strings.Contains(word, "=") && !strings.HasPrefix(word, "-") || word == "go" || word == "run" || word == "source" {
					continue
				}
				break
			}
			if args := words[i+1:]; len(args) > 0 {
				found = append(found, args)
			}
			break
		}
	}
	return found
}

// splitCommands splits at | ; && and <( outside quotes.
func splitCommands(line string) []string {
	var parts []string
	var b strings.Builder
	var quote rune
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && strings.ContainsRune("|;&()<>", r):
			if parts = append(parts, b.String()); r == '>' || r == '<' {
				r = '#' // a file follows, not a command
			} else {
				r = ' '
			}
			b.Reset()
			if r == '#' {
				b.WriteString("FILE ")
			}
			continue
		}
		b.WriteRune(r)
	}
	return append(parts, b.String())
}

func shellWords(s string) []string {
	var list []string
	var b strings.Builder
	var quote rune
	began := false
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, began = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if began {
				list = append(list, b.String())
			}
			b.Reset()
			began = false
		default:
			b.WriteRune(r)
			began = true
		}
	}
	if began {
		list = append(list, b.String())
	}
	return list
}

// parses returns the error of a command line without running it.
func parses(args []string) error {
	a, _, _ := testApp(i18n.English)
	root := a.rootCommand("")
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if cmd == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("no command %q", rest[0])
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return nil
}

func stateNames() (names []string) {
	for _, s := range queue.States() {
		names = append(names, string(s))
	}
	return names
}

func programNames() (names []string) {
	for _, p := range settingsimport.Programs() {
		names = append(names, string(p))
	}
	return names
}
