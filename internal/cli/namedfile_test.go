package cli

import (
	"io"
	"maps"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/cli/command"
)

// fileFlags are the flags, of any command, whose value is the name of a file or folder. All others
// take a value.
var fileFlags = []string{"attach", "bcc-file", "body-file", "ca", "cc-file", "dir", "html-file", "inline", "log", "maildir", "output",
	"invite", "secret-file", "secret-netrc", "smtp-cert", "socket", "tls-ca", "tls-cert", "tls-key", "to-file", "outbox"}

// eachFlag calls f for each flag of each command that takes a value.
func eachFlag(root *cobra.Command, f func(path string, flag *pflag.Flag)) {
	root.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Value.Type() != "bool" {
			f(root.CommandPath(), flag)
		}
	})
	for _, sub := range root.Commands() {
		eachFlag(sub, f)
	}
}

// The help of a flag that names a file says FILE, and the flag is in one list, so that a new one
// can't be overlooked.
func TestFlagsThatNameFiles(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp("en")
	found := map[string]bool{}
	flags := 0
	eachFlag(a.rootCommand(""), func(path string, f *pflag.Flag) {
		flags++
		value := strings.Join(f.Annotations[command.ValueOf], "")
		named := strings.Contains(value, "FILE") || strings.Contains(value, "FOLDER") || strings.Contains(value, "PATH") || value == "OUTBOX"
		if named != slices.Contains(fileFlags, f.Name) {
			t.Errorf("%s --%s %s: is it the name of a file?", path, f.Name, value)
		}
		found[f.Name] = found[f.Name] || named
	})
	for _, name := range fileFlags {
		if !found[name] {
			t.Errorf("no flag --%s names a file", name)
		}
	}
	if flags < 100 {
		t.Errorf("only %d flags", flags)
	}
}

// TestValuesAreNeverFiles passes file names, in the form that early versions read, and - to every
// flag of yan send that takes a value. The contents must be neither in the message nor in the
// output.
func TestValuesAreNeverFiles(t *testing.T) {
	t.Parallel()
	const inFile, piped = "the content of a file of mine", "the content of a pipe"
	file := filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(file, []byte(inFile), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _, _ := testApp("en")
	tried, sent := 0, map[string]bool{}
	eachFlag(a.rootCommand(""), func(path string, f *pflag.Flag) {
		if path != "yan send" || slices.Contains(fileFlags, f.Name) {
			return
		}
		tried++
		for _, value := range []string{"@" + file, "@@" + file, "@", "-", "<" + file, "file://" + file, "a <@" + file + ">", "X: @" + file} {
			args := []string{"send", "--dry-run", "--server", "smtps://127.0.0.1:1", "-f", "me@example.org", "-t", "friend@example.org", "-s", "hi", "-b", "x"}
			w, out, errs := testEnv(map[string]string{"HOME": t.TempDir()})
			w.Stdin = strings.NewReader(piped)
			code := Run(t.Context(), append(args, "--"+f.Name+"="+value), w)
			plain, err := readQuoted(out.String())
			if err != nil {
				plain = out.String()
			}
			for _, secret := range []string{inFile, piped} {
				if strings.Contains(plain+out.String()+errs.String(), secret) {
					t.Errorf("--%s %q shows the contents of a file:\n%s%s", f.Name, value, out, errs)
				}
			}
			if code == command.ExitOK {
				sent[f.Name] = true
			}
			if code == command.ExitOK && (f.Name == "body" || f.Name == "subject") && !strings.Contains(plain, value) {
				t.Errorf("--%s %q is not in the message:\n%s", f.Name, value, plain)
			}
		}
	})
	for _, text := range []string{"subject", "body", "html", "header"} {
		if !sent[text] {
			t.Errorf("no value of --%s was sent", text)
		}
	}
	if tried < 20 {
		t.Errorf("only %d flags were tried: %v", tried, slices.Sorted(maps.Keys(sent)))
	}
}

func readQuoted(text string) (string, error) {
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
	return string(b), err
}

// Chinese mail to a group often begins with an @.
func TestValuesThatBeginWithAt(t *testing.T) {
	t.Parallel()
	code, out, errs := run(t.Context(), nil, "send", "--dry-run", "--server", "smtps://127.0.0.1:1", "-f", "me@example.org",
		"-t", "friend@163.com", "-s", "@所有人 明天放假", "-b", "@张三 请看附件", "--html", "@李四")
	if code != command.ExitOK || strings.Contains(errs, "the text is") || !strings.Contains(out, "Subject: =?UTF-8?") {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
	// A text that looks like a file name is sent, with a hint.
	code, out, errs = run(t.Context(), nil, "send", "--dry-run", "--server", "smtps://127.0.0.1:1", "-f", "me@example.org",
		"-t", "friend@163.com", "-s", "x", "-b", "@notes.txt")
	if code != command.ExitOK || !strings.Contains(out, "\n@notes.txt") || !strings.Contains(errs, `--body: the text is "@notes.txt"; to send the contents of a file, write --body-file notes.txt.`) {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
	for _, flag := range []string{"to", "cc", "bcc"} {
		for value, want := range map[string]string{"@list.txt": "--" + flag + "-file list.txt", "-": "--" + flag + "-file -"} {
			code, out, errs = run(t.Context(), nil, "send", "--dry-run", "--server", "smtps://127.0.0.1:1", "-f", "me@example.org", "-s", "x", "-b", "x", "--"+flag, value)
			if code != command.ExitUsage || !strings.Contains(errs, want) {
				t.Errorf("--%s %s: exit status %d\n%s%s", flag, value, code, out, errs)
			}
		}
	}
}
