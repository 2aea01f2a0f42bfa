package queuecmd

import (
	"errors"
	"io"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// answerLine returns the reply that decided about a recipient, or the local error.
func (a describer) answerLine(ans queue.Answer) string {
	what := ""
	switch {
	case !ans.Reply.IsZero():
		what = console.Visible(ans.Reply.String())
	case isLost(ans):
		return a.T("the content of the message is not in the outbox")
	case ans.Err == io.EOF.Error(), ans.Err == io.ErrUnexpectedEOF.Error():
		what = a.T("the server closed the connection")
	case ans.Err != "":
		what = console.Visible(ans.Err)
	default:
		return ""
	}
	if ans.Stage == "" || ans.Reply.IsZero() && ans.Stage == smtp.StageConnect {
		return what
	}
	return a.T("%s: %s", a.T("at %s", strings.ToUpper(console.Visible(string(ans.Stage)))), what)
}

// isLost reports whether a message can't be sent because its text is missing: a file of the outbox
// is lost or damaged.
func isLost(ans queue.Answer) bool {
	return ans.Reply.IsZero() && strings.Contains(ans.Err, queue.ErrNoBody.Error())
}

// lostText returns the advice for a message whose text is missing from the outbox.
func (a describer) lostText(id queue.ID) string {
	return a.T("A file of the outbox is missing or unreadable. Restore it from a backup and release the message: %s; or give up the message: %s",
		"yan queue release "+id.String(), "yan queue cancel "+id.String())
}

// withoutOwnAdvice returns a finding without the advice that the outbox follows by itself, or gives in its
// own words.
func withoutOwnAdvice(f diagnosis.Finding, s queue.State) diagnosis.Finding {
	if s == queue.InDoubt || s == queue.Deferred && f.Permanence == diagnosis.Temporary {
		f.Advice = diagnosis.Text{}
	}
	return f
}

// outcomeOf returns a recipient's state as an outcome, which decides its meaning and its exit
// status.
func outcomeOf(to smtp.Address, s queue.State, ans queue.Answer) smtp.Outcome {
	o := smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: ans.Stage, Reply: ans.Reply}
	switch s {
	case queue.HandedOver:
		o.Status = smtp.Accepted
	case queue.Failed, queue.Expired, queue.Cancelled:
		o.Status = smtp.Refused
	case queue.Deferred:
		o.Status = smtp.Deferred
	case queue.InDoubt, queue.Sending:
		o.Status = smtp.Unknown
	}
	// The outbox may come from another machine: replace control characters for the terminal.
	o.Reply.Lines = nil
	for _, line := range ans.Reply.Lines {
		o.Reply.Lines = append(o.Reply.Lines, console.Visible(line))
	}
	if ans.Reply.IsZero() && ans.Err != "" {
		o.Err = errors.New(console.Visible(ans.Err))
	}
	return o
}

// explainedFinding explains an answer. ok is false if there is nothing to explain. For local errors the
// outbox stores the text and the class.
func explainedFinding(s queue.State, ans queue.Answer, provider string) (f diagnosis.Finding, ok bool) {
	if s == queue.HandedOver || ans.Reply.IsZero() && ans.Err == "" && ans.Class == "" {
		return f, false
	}
	if isLost(ans) || ans.Reply.IsZero() && ans.Class == "" && ans.Stage == "" { // no server replied: the text needs no explanation
		return f, false
	}
	f, known := diagnosis.Kept(diagnosis.Class(ans.Class), ans.Stage, ans.Err)
	if !ans.Reply.IsZero() || !known {
		return yan.Explain(outcomeOf(smtp.Address{}, s, ans), provider), true
	}
	return f, true
}

// providerOf returns the ID of an account's provider, or "" if it is not known.
func (a describer) providerOf(name string) string {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return ""
	}
	acc, ok := f.Account(name)
	if !ok {
		return ""
	}
	return acc.Provider().ID
}

// routeProblem explains why an account can't be used, in the sentences of the other commands.
func (a describer) routeProblem(name string, err error) *command.Failure {
	var (
		missing *secret.Error
		unknown *account.UnknownAccountError
		parse   *account.ParseError
		told    *command.Failure
	)
	f, confErr := a.FaultyConfiguration()
	switch {
	case confErr != nil:
		err = confErr
	case errors.As(err, &unknown), errors.As(err, &parse):
		err = a.BadConfiguration(f.Path(), err)
	case errors.Is(err, account.ErrNone):
		err = a.NoAccountsError(f, command.ExitConfig)
	case errors.As(err, &missing):
		if acc, ok := f.Account(name); ok {
			err = a.BadSecret(acc, err)
		}
	}
	if errors.As(err, &told) {
		return told
	}
	return command.Fail(command.ExitConfig, err, "")
}

// explainAnswer prints the cause and the advice of an answer.
func (a describer) explainAnswer(w io.Writer, width int, s queue.State, ans queue.Answer, provider string) {
	if f, ok := explainedFinding(s, ans, provider); ok {
		a.PrintFinding(w, width, f)
	}
}
