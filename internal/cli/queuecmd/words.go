package queuecmd

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// stateWord is a state for people; the one in JSON never changes.
func (a *runner) stateWord(s queue.State) string {
	switch s {
	case queue.Queued:
		return a.T("queued")
	case queue.Deferred:
		return a.T("deferred")
	case queue.Leased:
		return a.T("taken up")
	case queue.Sending:
		return a.T("being sent")
	case queue.InDoubt:
		return a.T("in doubt")
	case queue.Held:
		return a.T("held")
	case queue.HandedOver:
		return a.T("handed over")
	case queue.Failed:
		return a.T("failed")
	case queue.Expired:
		return a.T("expired")
	case queue.Cancelled:
		return a.T("cancelled")
	}
	return console.Visible(string(s)) // of an outbox that is not as yan made it
}

// stateList says what the words of --state mean; a test holds it against the states.
func (a *runner) stateList() command.List {
	return command.List{Title: a.T("States of a recipient:"), Entries: []command.Entry{
		{Term: string(queue.Queued), Text: a.T("it waits for whoever sends; 'scheduled' chooses those whose time is to come")},
		{Term: string(queue.Deferred), Text: a.T("it was tried, and is tried again when it is due")},
		{Term: string(queue.Leased), Text: a.T("somebody is about to send it")},
		{Term: string(queue.Sending), Text: a.T("it is being sent")},
		{Term: string(queue.InDoubt), Text: a.T("the message went out and the answer was lost; 'yan queue resolve' decides")},
		{Term: string(queue.Held), Text: a.T("it is kept back until it is released")},
		{Term: string(queue.HandedOver), Text: a.T("the server took it")},
		{Term: string(queue.Failed), Text: a.T("it was refused for good")},
		{Term: string(queue.Expired), Text: a.T("it was not handed over in its time")},
		{Term: string(queue.Cancelled), Text: a.T("somebody took it back")},
	}}
}

// queueStatuses are the exit statuses of the commands of the outbox; those that wait for outcomes have
// that of 'yan send'.
func (a *runner) queueStatuses() command.List {
	l := command.List{Title: a.T("Exit status:")}
	for _, s := range []command.Status{
		{Code: command.ExitOK, Meaning: a.T("done")},
		{Code: command.ExitUsage, Meaning: a.T("a flag or an argument is wrong")},
		{Code: command.ExitData, Meaning: a.T("there is no such message, or its state does not allow it")},
		{Code: command.ExitNoInput, Meaning: a.T("the outbox that was named is not there")},
		{Code: command.ExitCantCreate, Meaning: a.T("a file can't be written")},
		{Code: command.ExitIO, Meaning: a.T("the outbox can't be read or written")},
		{Code: command.ExitTemporary, Meaning: a.T("not now: the database is down, or the disk is full")},
		{Code: command.ExitConfig, Meaning: a.T("the configuration, or the version of the outbox; or it is a copy that was not adopted")},
		{Code: command.ExitUnknown, Meaning: a.T("it is not known whether the change was kept")},
	} {
		l.Entries = append(l.Entries, command.Entry{Term: console.Pad("", 3-len(strconv.Itoa(s.Code))) + strconv.Itoa(s.Code), Text: s.Meaning})
	}
	return l
}

// statusWord is stateWord of a recipient, which may wait for its time.
func (a *runner) statusWord(s queue.Recipient) string {
	if a.waitsForItsTime(s) {
		return a.T("scheduled")
	}
	return a.stateWord(s.State)
}

// stateMark is the sign before a recipient, with its colour.
func stateMark(s queue.State) (mark, colour string) {
	switch s {
	case queue.HandedOver:
		return "✓", console.Green
	case queue.InDoubt:
		return "?", console.Yellow
	case queue.Failed, queue.Expired:
		return "✗", console.Red
	case queue.Cancelled:
		return "✗", console.Dim
	case queue.Leased, queue.Sending:
		return "→", console.Green
	}
	return "–", console.Yellow
}

// states sums up how it stands with a message: one word, or how many of each.
func (a *runner) states(e queue.Entry) string {
	counts := map[string]int{}
	var order []string
	for _, s := range e.Recipients {
		word := a.statusWord(s)
		if counts[word] == 0 {
			order = append(order, word)
		}
		counts[word]++
	}
	if len(order) == 1 && e.Total <= len(e.Recipients) {
		return order[0]
	}
	var parts []string
	for _, word := range order {
		parts = append(parts, a.T("%d %s", counts[word], word))
	}
	if rest := e.Total - len(e.Recipients); rest > 0 {
		parts = append(parts, a.T("%d more", rest))
	}
	return a.Listed(parts)
}

// recipientsOf names the first recipient, and how many there are besides.
func recipientsOf(e queue.Entry) string {
	if len(e.Recipients) == 0 {
		return ""
	}
	to := e.Recipients[0].Address.String()
	if e.Total > 1 {
		to += fmt.Sprintf(" +%d", e.Total-1)
	}
	return to
}

// answerLine is what decided about a recipient: the reply, or what happened here.
func (a *runner) answerLine(ans queue.Answer) string {
	what := ""
	switch {
	case !ans.Reply.IsZero():
		what = console.Visible(ans.Reply.String())
	case isLost(ans):
		return a.T("the text of the message is not in the outbox")
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

// isLost reports whether a message can't be sent because its text is not there: a file of
// the outbox is missing or damaged.
func isLost(ans queue.Answer) bool {
	return ans.Reply.IsZero() && strings.Contains(ans.Err, queue.ErrNoBody.Error())
}

// lostText says what to do where the text of a message is missing that should be there.
func (a *runner) lostText(id queue.ID) string {
	return a.T("A file of the outbox is missing or can't be read. Put it back from a backup and let the message go: %s; or give it up: %s",
		"yan queue release "+id.String(), "yan queue cancel "+id.String())
}

// toldOf is a finding without what the outbox does by itself, or says in its own words.
func toldOf(f diagnosis.Finding, s queue.State) diagnosis.Finding {
	if s == queue.InDoubt || s == queue.Deferred && f.Permanence == diagnosis.Temporary {
		f.Advice = diagnosis.Text{}
	}
	return f
}

// outcomeOf is a recipient's state in the words of a result, for its meaning and its
// exit status.
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
	// The outbox may have come from elsewhere: its words do nothing to a terminal.
	o.Reply.Lines = nil
	for _, line := range ans.Reply.Lines {
		o.Reply.Lines = append(o.Reply.Lines, console.Visible(line))
	}
	if ans.Reply.IsZero() && ans.Err != "" {
		o.Err = errors.New(console.Visible(ans.Err))
	}
	return o
}

// meaning explains an answer. ok is false where there is nothing to explain. Of what
// went wrong on this side the outbox has the words and the class.
func meaning(s queue.State, ans queue.Answer, provider string) (f diagnosis.Finding, ok bool) {
	if s == queue.HandedOver || ans.Reply.IsZero() && ans.Err == "" && ans.Class == "" {
		return f, false
	}
	if isLost(ans) || ans.Reply.IsZero() && ans.Class == "" && ans.Stage == "" { // nobody was asked: the words say it all
		return f, false
	}
	f, known := diagnosis.Kept(diagnosis.Class(ans.Class), ans.Stage, ans.Err)
	if !ans.Reply.IsZero() || !known {
		return yan.Explain(outcomeOf(smtp.Address{}, s, ans), provider), true
	}
	return f, true
}

// providerOf is the id of an account's provider; "" where it is not known.
func (a *runner) providerOf(name string) string {
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

// next is what happens to a recipient now; "" for nothing more.
func (a *runner) next(s queue.Recipient) string {
	switch s.State {
	case queue.Queued, queue.Deferred:
		switch {
		case s.Due.After(a.Now().Add(times.Slack)):
			return a.T("%s (%s)", a.Moment(s.Due), a.Away(s.Due))
		case s.State == queue.Deferred:
			return a.T("due again")
		}
		return a.T("due")
	case queue.InDoubt:
		return a.T("it is for you to decide")
	case queue.Held:
		return a.T("until it is released")
	}
	return ""
}

// urgent is the recipient of a message that says most about it: one that needs a
// person, then one that waits, then the first.
func urgent(e queue.Entry) (s queue.Recipient) {
	best := -1
	rank := func(s queue.State) int {
		switch s {
		case queue.InDoubt:
			return 6
		case queue.Held:
			return 5
		case queue.Failed, queue.Expired:
			return 3
		case queue.HandedOver, queue.Cancelled:
			return 1
		}
		return 4
	}
	for _, candidate := range e.Recipients {
		if r := rank(candidate.State); r > best {
			s, best = candidate, r
		}
	}
	return s
}

// routeProblem says why an account can't be used, in the words that other commands
// have for it.
func (a *runner) routeProblem(name string, err error) *command.Failure {
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
		err = a.NoneYet(f, command.ExitConfig)
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

// explainAnswer prints why, and what to do.
func (a *runner) explainAnswer(w io.Writer, width int, s queue.State, ans queue.Answer, provider string) {
	if f, ok := meaning(s, ans, provider); ok {
		a.Finding(w, width, f)
	}
}
