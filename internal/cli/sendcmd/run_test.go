package sendcmd

import (
	"fmt"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/smtpclient"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	for lang, want := range map[i18n.Language]string{
		i18n.English: "28 messages in 2.0 s (10/s): 1 sent, 2 sent before, 3 sent to some, 4 refused, 5 deferred, 6 unknown, 7 not tried",
		i18n.Chinese: "28 封邮件，用时 2.0 s（每秒 10 封）：发出 1 封、先前已发出 2 封、只发给部分收件人 3 封、被拒绝 4 封、被推迟 5 封、结果未知 6 封、未尝试 7 封",
	} {
		a, _, _ := testApp(lang)
		r := &sendRun{a: a, messages: []*sending.Outgoing{{}}}
		counts := sending.Summary{Messages: 28, Sent: 1, Before: 2, Partial: 3, Refused: 4, Deferred: 5, Unknown: 6, NotTried: 7}
		if got := r.summaryLine(counts, 2*time.Second); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The hint about --no-pipelining appears in any language and even for one message, but not if the
// flag is given.
func TestAdviceForServersThatLoseCommands(t *testing.T) {
	t.Parallel()
	lost := fmt.Errorf("%w: 250 in answer to nothing", smtpclient.ErrOutOfStep)
	for _, test := range []struct {
		lang     i18n.Language
		lockStep bool
		reason   string
		advice   string
	}{
		{i18n.English, false, "the server's replies do not match the commands: 250 in answer to nothing", "This server can't handle pipelined commands: use --no-pipelining.\n"},
		{i18n.Chinese, false, "服务器的应答与命令不符: 250 in answer to nothing", "这个服务器无法处理流水线命令：请使用 --no-pipelining。\n"},
		{i18n.English, true, "the server's replies do not match the commands: 250 in answer to nothing", ""},
	} {
		a, _, errs := testApp(test.lang)
		r := &sendRun{a: a, s: &sendFlags{ServerFlags: serverflag.ServerFlags{LockStep: test.lockStep}}, messages: []*sending.Outgoing{{}}}
		r.printSummary(sending.Summary{OutOfStep: true}, time.Second)
		if errs.String() != test.advice {
			t.Errorf("%s, %v: %q, want %q", test.lang, test.lockStep, errs, test.advice)
		}
		if got := a.LocalError(lost); got != test.reason {
			t.Errorf("%q, want %q", got, test.reason)
		}
	}
}
