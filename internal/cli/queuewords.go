package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/smtp"
)

// stateWord is a state for people; the one in JSON never changes.
func (a *app) stateWord(s outbox.State) string {
	switch s {
	case outbox.Queued:
		return a.T("queued")
	case outbox.Deferred:
		return a.T("deferred")
	case outbox.Leased:
		return a.T("taken up")
	case outbox.Sending:
		return a.T("being sent")
	case outbox.InDoubt:
		return a.T("in doubt")
	case outbox.Held:
		return a.T("held")
	case outbox.HandedOver:
		return a.T("handed over")
	case outbox.Failed:
		return a.T("failed")
	case outbox.Expired:
		return a.T("expired")
	case outbox.Cancelled:
		return a.T("cancelled")
	}
	return visible(string(s)) // of an outbox that is not as yan made it
}

// stateList says what the words of --state mean; a test holds it against the states.
func (a *app) stateList() list {
	return list{a.T("States of a recipient:"), []entry{
		{string(outbox.Queued), a.T("it waits for whoever sends; 'scheduled' chooses those whose time is to come")},
		{string(outbox.Deferred), a.T("it was tried, and is tried again when it is due")},
		{string(outbox.Leased), a.T("somebody is about to send it")},
		{string(outbox.Sending), a.T("it is being sent")},
		{string(outbox.InDoubt), a.T("the message went out and the answer was lost; 'yan queue resolve' decides")},
		{string(outbox.Held), a.T("it is kept back until it is released")},
		{string(outbox.HandedOver), a.T("the server took it")},
		{string(outbox.Failed), a.T("it was refused for good")},
		{string(outbox.Expired), a.T("it was not handed over in its time")},
		{string(outbox.Cancelled), a.T("somebody took it back")},
	}}
}

// queueStatuses are the exit statuses of the commands of the outbox; those that wait for outcomes have
// that of 'yan send'.
func (a *app) queueStatuses() list {
	l := list{title: a.T("Exit status:")}
	for _, s := range []status{
		{exitOK, a.T("done")},
		{exitUsage, a.T("a flag or an argument is wrong")},
		{exitData, a.T("there is no such message, or its state does not allow it")},
		{exitNoInput, a.T("the outbox that was named is not there")},
		{exitCantCreate, a.T("a file can't be written")},
		{exitIO, a.T("the outbox can't be read or written")},
		{exitTemporary, a.T("not now: the database is down, or the disk is full")},
		{exitConfig, a.T("the configuration, or the version of the outbox; or it is a copy that was not adopted")},
		{exitUnknown, a.T("it is not known whether the change was kept")},
	} {
		l.entries = append(l.entries, entry{pad("", 3-len(strconv.Itoa(s.code))) + strconv.Itoa(s.code), s.meaning})
	}
	return l
}

// statusWord is stateWord of a recipient, which may wait for its time.
func (a *app) statusWord(s outbox.Status) string {
	if a.waitsForItsTime(s) {
		return a.T("scheduled")
	}
	return a.stateWord(s.State)
}

// stateMark is the sign before a recipient, with its colour.
func stateMark(s outbox.State) (mark, colour string) {
	switch s {
	case outbox.HandedOver:
		return "✓", green
	case outbox.InDoubt:
		return "?", yellow
	case outbox.Failed, outbox.Expired:
		return "✗", red
	case outbox.Cancelled:
		return "✗", dim
	case outbox.Leased, outbox.Sending:
		return "→", green
	}
	return "–", yellow
}

// states sums up how it stands with a message: one word, or how many of each.
func (a *app) states(e outbox.Entry) string {
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
	return a.listed(parts)
}

// recipientsOf names the first recipient, and how many there are besides.
func recipientsOf(e outbox.Entry) string {
	if len(e.Recipients) == 0 {
		return ""
	}
	to := e.Recipients[0].Address.String()
	if e.Total > 1 {
		to += fmt.Sprintf(" +%d", e.Total-1)
	}
	return to
}

// oneLineOf is a text that others chose, on one line that does nothing to a
// terminal, and is not too long for a table.
func oneLineOf(s string) string { return clipped(strings.TrimSpace(visible(s))) }

// answerLine is what decided about a recipient: the reply, or what happened here.
func (a *app) answerLine(ans outbox.Answer) string {
	what := ""
	switch {
	case !ans.Reply.IsZero():
		what = visible(ans.Reply.String())
	case isLost(ans):
		return a.T("the text of the message is not in the outbox")
	case ans.Err == io.EOF.Error(), ans.Err == io.ErrUnexpectedEOF.Error():
		what = a.T("the server closed the connection")
	case ans.Err != "":
		what = visible(ans.Err)
	default:
		return ""
	}
	if ans.Stage == "" || ans.Reply.IsZero() && ans.Stage == smtp.StageConnect {
		return what
	}
	return a.T("%s: %s", a.T("at %s", strings.ToUpper(visible(string(ans.Stage)))), what)
}

// isLost reports whether a message can't be sent because its text is not there: a file of
// the outbox is missing or damaged.
func isLost(ans outbox.Answer) bool {
	return ans.Reply.IsZero() && strings.Contains(ans.Err, outbox.ErrNoBody.Error())
}

// lostText says what to do where the text of a message is missing that should be there.
func (a *app) lostText(id outbox.ID) string {
	return a.T("A file of the outbox is missing or can't be read. Put it back from a backup and let the message go: %s; or give it up: %s",
		"yan queue release "+id.String(), "yan queue cancel "+id.String())
}

// toldOf is a finding without what the outbox does by itself, or says in its own words.
func toldOf(f diagnosis.Finding, s outbox.State) diagnosis.Finding {
	if s == outbox.InDoubt || s == outbox.Deferred && f.Permanence == diagnosis.Temporary {
		f.Advice = diagnosis.Text{}
	}
	return f
}

// outcomeOf is a recipient's state in the words of a result, for its meaning and its
// exit status.
func outcomeOf(to smtp.Address, s outbox.State, ans outbox.Answer) smtp.Outcome {
	o := smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: ans.Stage, Reply: ans.Reply}
	switch s {
	case outbox.HandedOver:
		o.Status = smtp.Accepted
	case outbox.Failed, outbox.Expired, outbox.Cancelled:
		o.Status = smtp.Refused
	case outbox.Deferred:
		o.Status = smtp.Deferred
	case outbox.InDoubt, outbox.Sending:
		o.Status = smtp.Unknown
	}
	// The outbox may have come from elsewhere: its words do nothing to a terminal.
	o.Reply.Lines = nil
	for _, line := range ans.Reply.Lines {
		o.Reply.Lines = append(o.Reply.Lines, visible(line))
	}
	if ans.Reply.IsZero() && ans.Err != "" {
		o.Err = errors.New(visible(ans.Err))
	}
	return o
}

// meaning explains an answer. ok is false where there is nothing to explain. Of what
// went wrong on this side the outbox has the words and the class.
func meaning(s outbox.State, ans outbox.Answer, provider string) (f diagnosis.Finding, ok bool) {
	if s == outbox.HandedOver || ans.Reply.IsZero() && ans.Err == "" && ans.Class == "" {
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
func (a *app) providerOf(name string) string {
	f, err := a.faultyConfiguration()
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
func (a *app) next(s outbox.Status) string {
	switch s.State {
	case outbox.Queued, outbox.Deferred:
		switch {
		case s.Due.After(a.Now().Add(slack)):
			return a.T("%s (%s)", a.moment(s.Due), a.away(s.Due))
		case s.State == outbox.Deferred:
			return a.T("due again")
		}
		return a.T("due")
	case outbox.InDoubt:
		return a.T("it is for you to decide")
	case outbox.Held:
		return a.T("until it is released")
	}
	return ""
}

// urgent is the recipient of a message that says most about it: one that needs a
// person, then one that waits, then the first.
func urgent(e outbox.Entry) (s outbox.Status) {
	best := -1
	rank := func(s outbox.State) int {
		switch s {
		case outbox.InDoubt:
			return 6
		case outbox.Held:
			return 5
		case outbox.Failed, outbox.Expired:
			return 3
		case outbox.HandedOver, outbox.Cancelled:
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

// nextSteps tells how what waits gets on its way; later says that its time is to come.
func (a *app) nextSteps(working, later bool) string {
	switch {
	case working:
		return a.T("A worker is running and takes it from here; 'yan queue watch' shows how it goes.")
	case later:
		return a.T("Nothing sends it yet: 'yan serve' does when the time has come, if it runs then, or 'yan queue run'.")
	}
	return a.T("Nothing sends it yet: 'yan queue run' does now, 'yan serve' as long as it runs.")
}

// routeProblem says why an account can't be used, in the words that other commands
// have for it.
func (a *app) routeProblem(name string, err error) *failure {
	var (
		missing *secret.Error
		unknown *account.UnknownError
		parse   *account.ParseError
		told    *failure
	)
	f, confErr := a.faultyConfiguration()
	switch {
	case confErr != nil:
		err = confErr
	case errors.As(err, &unknown), errors.As(err, &parse):
		err = a.badConfiguration(f.Path(), err)
	case errors.Is(err, account.ErrNone):
		err = a.noneYet(f, exitConfig)
	case errors.As(err, &missing):
		if acc, ok := f.Account(name); ok {
			err = a.badSecret(acc, err)
		}
	}
	if errors.As(err, &told) {
		return told
	}
	return fail(exitConfig, err, "")
}

// explainAnswer prints why, and what to do.
func (a *app) explainAnswer(w io.Writer, width int, s outbox.State, ans outbox.Answer, provider string) {
	if f, ok := meaning(s, ans, provider); ok {
		a.finding(w, width, f)
	}
}
