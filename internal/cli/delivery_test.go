package cli

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/sandboxtest"
)

// A failure that holds for all messages is printed in two lines, not once for each message.
func TestARunThatCannotLogIn(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	for lang, want := range map[string]string{
		"en": "– 199 of 200 messages not tried: the messages before it did not get past the login\n",
		"zh": "– 199 封（共 200 封）未尝试：前面的邮件都未能通过登录\n",
	} {
		env := login(s)
		env["YAN_PASSWORD"] = "wrong"
		code, out, errs := run(t.Context(), env, "send", "--lang", lang, "--server", s.URL(), "--tls-ca", s.CAFile(), "--raw", clitest.WriteMails(t, 200))
		lines := strings.SplitAfter(out, "\n")
		if code != command.ExitAuth || len(lines) != 4 || !strings.Contains(lines[0], "535") || lines[1] != want || !strings.Contains(lines[2], "200") {
			t.Errorf("exit status %d: %s%s", code, out, errs)
		}
	}
}
