package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// 'yan queue resolve' completes messages in doubt only, 'retry' unfinished ones.
func TestResolveCompletesWhatIsInDoubt(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	doubted := k.enqueues("-t", "a@example.org").String()
	k.sends(queue.InDoubt, queue.Answer{Stage: smtp.StageBody, Err: "lost"})
	waiting := k.enqueues("-t", "b@example.org").String()
	for command, want := range map[string]string{"resolve": doubted, "retry": doubted + " " + waiting} {
		_, out, _ := k.yan("__complete", "queue", command, "")
		var got []string
		for line := range strings.Lines(out) {
			if id, _, ok := strings.Cut(line, "\t"); ok {
				got = append(got, id)
			}
		}
		if ids := strings.Join(got, " "); ids != want && ids != waiting+" "+doubted {
			t.Errorf("%s completes %q, want %q", command, ids, want)
		}
	}
}

// The error explains why there is no systemd credential: systemd did not start the process, or
// passed other credentials, which it names.
func TestCredentialThatIsNotThere(t *testing.T) {
	t.Parallel()
	passed := t.TempDir()
	if err := os.WriteFile(filepath.Join(passed, "smtp-code"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	const config = "version = 1\n[account.qq]\nfrom = \"me@qq.com\"\nserver = \"smtps://127.0.0.1:1\"\nsecret = { credential = \"mail\" }\n"
	for _, tt := range []struct {
		directory, en, zh string
	}{
		{"", "systemd passed no credentials to this process", "systemd"},
		{passed, "it passed: smtp-code", "smtp-code"},
		{t.TempDir(), "systemd did not pass credential mail", "mail"},
	} {
		for lang, want := range map[i18n.Language]string{i18n.English: tt.en, i18n.Chinese: tt.zh} {
			w, _, errs, path := machineWith(t, config, "", secrettest.New())
			w.Getenv = func(name string) string {
				return map[string]string{"YAN_CONFIG": path, "CREDENTIALS_DIRECTORY": tt.directory}[name]
			}
			code := Run(t.Context(), []string{"--lang", string(lang), "send", "-t", "a@example.org", "-s", "x", "-b", "y"}, w)
			if said := errs.String(); code != command.ExitConfig || !strings.Contains(said, want) || !strings.Contains(said, "LoadCredential=mail:/etc/") {
				t.Errorf("%q, %s: exit status %d: %s", tt.directory, lang, code, said)
			}
		}
	}
}
