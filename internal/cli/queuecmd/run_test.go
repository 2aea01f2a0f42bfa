package queuecmd

import (
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/smtp"
)

// Each state gives the exit status that the same outcome of yan send has.
func TestExitStatusOfEveryState(t *testing.T) {
	t.Parallel()
	reply := func(stage smtp.Stage, code int, text string) outbox.Answer {
		return outbox.Answer{Stage: stage, Reply: smtp.Reply{Code: code, Lines: []string{text}}}
	}
	for _, test := range []struct {
		state outbox.State
		ans   outbox.Answer
		want  int
	}{
		{outbox.HandedOver, reply(smtp.StageBody, 250, "ok"), command.ExitOK},
		{outbox.Deferred, reply(smtp.StageRcpt, 450, "later"), command.ExitTemporary},
		{outbox.InDoubt, outbox.Answer{Stage: smtp.StageBody, Err: "EOF"}, command.ExitUnknown},
		{outbox.Sending, outbox.Answer{}, command.ExitUnknown},
		{outbox.Failed, reply(smtp.StageRcpt, 550, "no such user"), command.ExitNoUser},
		{outbox.Failed, reply(smtp.StageBody, 554, "spam"), command.ExitUnavailable},
		{outbox.Failed, outbox.Answer{Stage: smtp.StageMail, Err: "too large", Class: "TOO_LARGE"}, command.ExitData},
		{outbox.Expired, reply(smtp.StageRcpt, 450, "later"), command.ExitUnavailable},
		{outbox.Cancelled, outbox.Answer{}, command.ExitUnavailable},
		{outbox.Held, outbox.Answer{}, command.ExitUnavailable},
		{outbox.Queued, reply(smtp.StageAuth, 535, "Login fail"), command.ExitAuth},
		{outbox.Queued, outbox.Answer{Stage: smtp.StageConnect, Err: "dial", Class: "CONNECTION_REFUSED"}, command.ExitTemporary},
		{outbox.Queued, outbox.Answer{Err: "no secret"}, command.ExitConfig},
	} {
		if got := exitOfAnswer(test.state, test.ans, "qq"); got != test.want {
			t.Errorf("%s %+v: %d, want %d", test.state, test.ans, got, test.want)
		}
	}
}
