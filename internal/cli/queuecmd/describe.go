package queuecmd

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/queue"
)

// isScheduled reports whether a message waits for its time.
func (a describer) isScheduled(e queue.Entry) bool {
	return slices.ContainsFunc(e.Recipients, func(s queue.Recipient) bool { return a.waitsForItsTime(s) })
}

func (a describer) waitsForItsTime(s queue.Recipient) bool {
	return s.State == queue.Queued && s.Due.After(a.Now().Add(times.Slack))
}

// isDue reports whether a recipient is due now.
func (a describer) isDue(e queue.Entry) bool {
	return slices.ContainsFunc(e.Recipients, func(s queue.Recipient) bool { return s.State.Waiting() && !s.Due.After(a.Now().Add(times.Slack)) })
}

func (a describer) priorityName(p queue.Priority) string {
	switch {
	case p > 0:
		return a.T("high")
	case p < 0:
		return a.T("low")
	}
	return a.T("normal")
}

// describer describes the contents of an outbox: states, answers, events, pauses.
type describer struct{ *outboxes.Outboxes }

// stateWord returns the translated word for a state; the word in JSON never changes.
func (a describer) stateWord(s queue.State) string {
	switch s {
	case queue.Queued:
		return a.T("queued")
	case queue.Deferred:
		return a.T("deferred")
	case queue.Leased:
		return a.T("claimed")
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
	return console.Visible(string(s)) // a state that this version does not know
}

// stateList explains the words of --state. A test checks that every state is listed.
func (a describer) stateList() command.List {
	return command.List{Title: a.T("States of a recipient:"), Entries: []command.ListEntry{
		{Term: string(queue.Queued), Text: a.T("waits for a worker; 'scheduled' selects those whose time has not come")},
		{Term: string(queue.Deferred), Text: a.T("was tried, and is retried when it is due")},
		{Term: string(queue.Leased), Text: a.T("a worker is about to send it")},
		{Term: string(queue.Sending), Text: a.T("is being sent")},
		{Term: string(queue.InDoubt), Text: a.T("was sent, but no reply came; decide with 'yan queue resolve'")},
		{Term: string(queue.Held), Text: a.T("held until released")},
		{Term: string(queue.HandedOver), Text: a.T("accepted by the server")},
		{Term: string(queue.Failed), Text: a.T("refused permanently")},
		{Term: string(queue.Expired), Text: a.T("not delivered in time")},
		{Term: string(queue.Cancelled), Text: a.T("cancelled by a user")},
	}}
}

// queueStatuses lists the exit statuses of the commands of the outbox. Commands that wait for
// outcomes have the statuses of 'yan send'.
func (a describer) queueStatuses() command.List {
	l := command.List{Title: a.T("Exit status:")}
	for _, s := range []command.ExitMeaning{
		{Code: command.ExitOK, Meaning: a.T("done")},
		{Code: command.ExitUsage, Meaning: a.T("invalid flag or argument")},
		{Code: command.ExitData, Meaning: a.T("no such message, or its state does not allow the change")},
		{Code: command.ExitNoInput, Meaning: a.T("the given outbox does not exist")},
		{Code: command.ExitCantCreate, Meaning: a.T("a file can't be written")},
		{Code: command.ExitIO, Meaning: a.T("can't read or write the outbox")},
		{Code: command.ExitTemporary, Meaning: a.T("temporary failure: the database is down, or the disk is full")},
		{Code: command.ExitConfig, Meaning: a.T("the configuration or the version of the outbox is wrong, or the outbox is a copy that was not adopted")},
		{Code: command.ExitUnknown, Meaning: a.T("it is unknown whether the change was saved")},
	} {
		l.Entries = append(l.Entries, command.ListEntry{Term: console.Pad("", 3-len(strconv.Itoa(s.Code))) + strconv.Itoa(s.Code), Text: s.Meaning})
	}
	return l
}

// statusWord is stateWord for a recipient, which may also be scheduled.
func (a describer) statusWord(s queue.Recipient) string {
	if a.waitsForItsTime(s) {
		return a.T("scheduled")
	}
	return a.stateWord(s.State)
}

// stateMark returns the mark of a recipient and its colour.
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

// stateSummary returns the state of a message: one word, or the count of each state.
func (a describer) stateSummary(e queue.Entry) string {
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

// recipientsOf returns the first recipient and the number of others.
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

// nextStep returns the next step for a recipient, or "" if there is none.
func (a describer) nextStep(s queue.Recipient) string {
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
		return a.T("needs decision")
	case queue.Held:
		return a.T("until released")
	}
	return ""
}

// urgentRecipient returns the most important recipient of a message: one that needs a decision, then one
// that waits, then the first.
func urgentRecipient(e queue.Entry) (s queue.Recipient) {
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
