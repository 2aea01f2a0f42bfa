//go:build unix

package cli

import (
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// Probable mistakes lead to a question, and nothing is sent unasked.
func TestSecondLookOnTerminal(t *testing.T) {
	t.Parallel()
	s := atTerminal(t)
	vars := []string{"YAN_PASSWORD=" + sandboxPassword, "YAN_SERVER=" + s.server.URL(), "YAN_TLS_CA=" + s.server.CAFile()}
	for _, c := range []struct {
		args, dialogue []string // pairs: wait for one, type the next
		exit           int
		received       int
	}{
		{[]string{"send", "-t", "a@example.org"}, []string{"neither subject nor text. Send it anyway? (y/n) [n]", "\r", "nothing was sent"}, command.ExitData, 0},
		{[]string{"send", "-t", "a@example.org"}, []string{"Send it anyway?", "y\r", "accepted"}, command.ExitOK, 1},
		{[]string{"--lang", "zh", "send", "-t", "a@example.org"}, []string{"仍要发送吗", "\x03"}, command.ExitTemporary, 1},
		{[]string{"send", "-t", "Bee <b@qq.con>", "-s", "x", "-b", "x"}, []string{"b@qq.con: did you mean b@qq.com? (y/n) [y]", "\r", "b@qq.com  accepted"}, command.ExitOK, 2},
		{[]string{"send", "-t", "b@qq.con", "-s", "x", "-b", "x"}, []string{"did you mean b@qq.com?", "n\r", "b@qq.con  accepted"}, command.ExitOK, 3},
	} {
		s.runs(vars, c.args...)
		for i, text := range c.dialogue {
			if i%2 == 0 {
				s.Waits(text)
			} else {
				s.Types(text)
			}
		}
		if code := s.Exit(); code != c.exit {
			t.Errorf("%q: exit status %d\n%s", c.args, code, s.Text())
		}
		if n := len(s.server.Messages()); n != c.received {
			t.Errorf("%q: %d messages were received", c.args, n)
		}
	}
	messages := s.server.Messages()
	if to := messages[1].To[0]; to != "b@qq.com" {
		t.Errorf("sent to %s", to)
	}
}
