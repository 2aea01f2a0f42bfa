package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/sandbox"
)

// Each quirk has a description in both languages.
func TestQuirkHelp(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		code, out, errs := run(t.Context(), nil, "sandbox", "--quirk", "help", "--lang", string(lang))
		if code != command.ExitOK || errs != "" || len(sandbox.Quirks()) == 0 {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		for _, q := range sandbox.Quirks() {
			_, meaning, found := strings.Cut(out, "\n  "+string(q)+" ")
			if meaning, _, _ = strings.Cut(meaning, "\n"); !found || strings.TrimSpace(meaning) == "" {
				t.Errorf("%s: %s has no meaning: %s", lang, q, out)
			}
		}
	}
}

// A sandbox with limits announces and enforces them, and a client that respects them can send
// everything.
func TestSandboxWithLimits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := make(chan struct{})
	w, _, errs := testEnv(nil)
	out := &tripwire{word: `"event":"ready"`, trip: func() { close(ready) }}
	w.Stdout = out
	done := make(chan int)
	go func() {
		done <- Run(ctx, []string{"sandbox", "--json", "--exit-after", "6", "--limit", "rcptmax=2", "--limit", "messages=2", "--quirk", "keeps-transaction"}, w)
	}()
	select {
	case <-ready:
	case code := <-done:
		t.Fatalf("it ended with %d: %s", code, errs)
	}
	var first jsonout.Ready
	clitest.Decode(t, strings.SplitN(out.String(), "\n", 2)[0], &first)
	env := map[string]string{"YAN_PASSWORD": first.Password, "YAN_SERVER": first.URL, "YAN_TLS_CA": first.CA}
	code, o, e := run(ctx, env, "send", "-t", "a@example.org,b@example.org,c@example.org", "-b", "x", "--to-policy", "any", "-v")
	if code != command.ExitOK || strings.Count(o, "accepted") != 3 || !strings.Contains(e, "LIMITS RCPTMAX=2") {
		t.Errorf("three recipients: exit status %d: %s%s", code, o, e)
	}
	if code, o, e = run(ctx, env, "send", "--raw", clitest.WriteMails(t, 4)); code != command.ExitOK || !strings.Contains(o, ": 4 sent\n") {
		t.Errorf("four messages: exit status %d: %s%s", code, o, e)
	}
	if code := <-done; code != command.ExitOK {
		t.Errorf("exit status %d: %s", code, errs)
	}
}
