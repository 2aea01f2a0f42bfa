package queuecmd

import (
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Each state has the exit status of the same outcome of yan send.
func TestExitStatusOfEveryState(t *testing.T) {
	t.Parallel()
	reply := func(stage smtp.Stage, code int, text string) queue.Answer {
		return queue.Answer{Stage: stage, Reply: smtp.Reply{Code: code, Lines: []string{text}}}
	}
	for _, test := range []struct {
		state queue.State
		ans   queue.Answer
		want  int
	}{
		{queue.HandedOver, reply(smtp.StageBody, 250, "ok"), command.ExitOK},
		{queue.Deferred, reply(smtp.StageRcpt, 450, "later"), command.ExitTemporary},
		{queue.InDoubt, queue.Answer{Stage: smtp.StageBody, Err: "EOF"}, command.ExitUnknown},
		{queue.Sending, queue.Answer{}, command.ExitUnknown},
		{queue.Failed, reply(smtp.StageRcpt, 550, "no such user"), command.ExitNoUser},
		{queue.Failed, reply(smtp.StageBody, 554, "spam"), command.ExitUnavailable},
		{queue.Failed, queue.Answer{Stage: smtp.StageMail, Err: "too large", Class: "TOO_LARGE"}, command.ExitData},
		{queue.Expired, reply(smtp.StageRcpt, 450, "later"), command.ExitUnavailable},
		{queue.Cancelled, queue.Answer{}, command.ExitUnavailable},
		{queue.Held, queue.Answer{}, command.ExitUnavailable},
		{queue.Queued, reply(smtp.StageAuth, 535, "Login fail"), command.ExitAuth},
		{queue.Queued, queue.Answer{Stage: smtp.StageConnect, Err: "dial", Class: "CONNECTION_REFUSED"}, command.ExitTemporary},
		{queue.Queued, queue.Answer{Err: "no secret"}, command.ExitConfig},
	} {
		if got := answerExit(test.state, test.ans, "qq"); got != test.want {
			t.Errorf("%s %+v: %d, want %d", test.state, test.ans, got, test.want)
		}
	}
}
