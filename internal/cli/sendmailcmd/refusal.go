package sendmailcmd

import (
	"errors"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// exitOf returns the exit status of a rule of admission.
func exitOf(rule string, reply smtp.Reply) int {
	if reply.Transient() && rule != "count" { // that stays as it is
		return command.ExitTemporary
	}
	switch rule {
	case "local", "recipient":
		return command.ExitNoUser
	case "size", "content", "smtputf8", "key":
		return command.ExitData
	}
	return command.ExitUnavailable
}

// refusedBy explains a reply of the daemon. Its text is "what; what to do (rule: NAME)", in English: it
// stays one sentence.
func (a *sendmailCommand) refusedBy(reply smtp.Reply, to string) error {
	text, rule, found := strings.Cut(reply.Text(), " (rule: ")
	if found {
		rule = strings.TrimSuffix(rule, ")")
	}
	var err error
	switch code := exitOf(rule, reply); {
	case code == command.ExitNoUser && to != "":
		err = localerr.Errorf("%s: %s", a.T("the recipient %s was not accepted", strings.TrimSuffix(to, "@"+localDomain)), text)
	case code == command.ExitTemporary:
		err = localerr.Errorf("%s: %s", a.T("the message can't be kept now"), text)
	case code == command.ExitUnavailable:
		err = localerr.Errorf("%s: %s", a.T("the message is not allowed"), text)
	default:
		err = localerr.Errorf("%s: %s", a.T("the message can't be kept"), text)
	}
	return command.Fail(exitOf(rule, reply), err, "")
}

// admissionFailure explains an error of admission in this process.
func (a *sendmailCommand) admissionFailure(err error) error {
	refusal, refused := errors.AsType[*admission.Refusal](err)
	_, defect := errors.AsType[*repair.Error](err)
	_, onDisk := errors.AsType[*spool.DiskError](err)
	switch {
	case refused:
		hint := ""
		if refusal.Hint != nil {
			hint = asSentence(a.TranslateError(refusal.Hint))
		}
		return command.Fail(exitOf(refusal.Rule, refusal.Reply), refusal.Err, hint)
	case defect, onDisk, errors.Is(err, spool.ErrTooLarge):
		return a.textFailure(err)
	case errors.Is(err, queue.ErrConflict):
		return command.Fail(command.ExitData, err, "")
	}
	return a.OutboxProblem(a.givenOutbox(), err)
}

// asSentence begins a hint, which is the second half of a reply, with a capital letter.
func asSentence(hint string) string {
	if hint != "" && 'a' <= hint[0] && hint[0] <= 'z' {
		return string(hint[0]-'a'+'A') + hint[1:]
	}
	return hint
}
