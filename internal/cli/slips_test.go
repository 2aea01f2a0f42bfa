package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// The error for a typing mistake names the mistake.
func TestSlipsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"senf", "-t", "a@b.c"}, []string{`unknown command "senf"`, "Did you mean send?"}},
		{[]string{"-t", "a@b.c"}, []string{"unknown flag -t"}},
		{[]string{"--lang", "zh", "senf", "-t", "a@b.c"}, []string{"没有命令“senf”", "send"}},
		{[]string{"queue", "lst", "-z"}, []string{`unknown command "lst"`, "Did you mean list?"}},
		{[]string{"queue", "12", "-z"}, []string{"unknown flag -z"}},
		{[]string{"account", "lsit", "--jsom"}, []string{`unknown command "lsit"`}},
		{[]string{"send", "—t", "a@b.c"}, []string{`"—t" is not a flag`, "type -t."}},
		{[]string{"send", "–-to", "a@b.c"}, []string{"type --to."}},
		{[]string{"send", "－－subject=x"}, []string{"type --subject=x."}},
		{[]string{"--lang", "zh", "send", "—t", "a@b.c"}, []string{"“—t”不是选项", "请输入 -t"}},
		{[]string{"version", "——json"}, []string{"type --json."}},
		{[]string{"——version"}, []string{"type --version."}},
	} {
		code, out, errs := run(t.Context(), map[string]string{"HOME": t.TempDir()}, c.args...)
		for _, want := range c.want {
			if code != command.ExitUsage || !strings.Contains(errs, want) {
				t.Errorf("%q: exit status %d, want %q\n%s%s", c.args, code, want, out, errs)
			}
		}
	}
	// A value may begin with a dash.
	code, out, errs := run(t.Context(), nil, "send", "--dry-run", "--server", "smtps://127.0.0.1:1", "-f", "me@example.org", "-t", "a@example.org", "-s", "—t", "-b", "—")
	if code != command.ExitOK {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
}

func TestLicences(t *testing.T) {
	t.Parallel()
	code, out, errs := run(t.Context(), nil, "version", "--licenses")
	if code != command.ExitOK || !strings.Contains(out, "modernc.org/sqlite v") || !strings.Contains(out, "Permission is hereby granted") {
		t.Errorf("exit status %d, %d octets\n%s", code, len(out), errs)
	}
}

// The bash script works in a shell without bash-completion.
func TestBashCompletionAlone(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	_, script, _ := run(t.Context(), nil, "completion", "bash")
	dir := t.TempDir()
	exe, err := filepath.Abs("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if exe, err = filepath.EvalSymlinks(exe); err != nil {
		t.Skip("the program of the test can't be found")
	}
	const ask = `
yan() { exec -a yan "$EXE" "$@"; }
export -f yan
COMP_WORDS=(yan expl) COMP_CWORD=1 COMP_LINE="yan expl" COMP_POINT=8 COMP_TYPE=9
__start_yan
echo "got: ${COMPREPLY[*]}"
`
	cmd := exec.CommandContext(t.Context(), bash, "--noprofile", "--norc", "-c", script+ask)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "EXE=" + exe, "GORACE=atexit_sleep_ms=0"}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "got: explain") || strings.Contains(string(out), "not found") {
		t.Errorf("%v: %s", err, out)
	}
}
