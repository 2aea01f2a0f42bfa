package queuecmd

import (
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
)

// eventText describes an event, with the number of the attempt and the answer.
func (a describer) eventText(e queue.Event) string {
	text := a.eventWord(e)
	if e.Attempt > 1 {
		text = a.T("attempt %d: %s", e.Attempt, text)
	}
	answer := a.answerLine(e.Answer)
	switch {
	case e.State == queue.HandedOver && e.Answer.ServerID != "":
		answer = a.T("queued as %s", console.Visible(e.Answer.ServerID))
	case e.State == queue.HandedOver:
		answer = ""
	}
	if answer != "" {
		text += " · " + answer
	}
	if e.Kind == queue.EventKind(queue.Deferred) && e.Due.After(a.Now()) {
		text += " · " + a.T("again %s", a.Away(e.Due))
	}
	return text
}

// eventWord returns the name of an event; most events have the name of the state that they led to.
func (a describer) eventWord(e queue.Event) string {
	switch e.Kind {
	case queue.EventEnqueued:
		return a.T("enqueued")
	case queue.EventStale:
		return a.T("a reply came too late and was ignored")
	case queue.EventRetry:
		return a.T("retry requested")
	case queue.EventReleased:
		return a.T("released")
	case queue.EventResent:
		return a.T("no longer in doubt: will be sent again")
	case queue.EventFound:
		return a.T("found in the Sent folder: handed over")
	case queue.EventLapsed:
		return a.T("requeued: its worker stopped responding")
	}
	return a.stateWord(queue.State(e.Kind))
}

// eventLine returns an event as a line.
func (a describer) eventLine(e queue.Event, width int) string {
	mark, colour := stateMark(e.State)
	who := e.ID.String()
	if !e.Address.IsZero() {
		who += "  " + console.Visible(e.Address.String())
	}
	return a.Paint(width, colour, mark) + " " + who + "  " + a.eventText(e)
}
