package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/outbox"
)

func (a *app) queueShowCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:               "show " + a.T("ID"),
		Short:             a.T("Show how it stands with a message: each recipient, each attempt, and what the answers mean"),
		Example:           "  yan queue show 12\n  yan queue show 12 --json",
		ValidArgsFunction: a.completeIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.queueShow(cmd, q, args) },
	}
	q.register(a, cmd)
	return cmd
}

func (a *app) queueShow(cmd *cobra.Command, q *queueFlags, args []string) error {
	id, err := a.oneID(args)
	if err != nil {
		return err
	}
	store, err := a.readQueue(cmd.Context(), q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.noMessage(id)
	}
	defer store.Close() // only read from
	e, err := store.Show(cmd.Context(), id)
	switch {
	case errors.Is(err, outbox.ErrNotFound):
		return a.noMessage(id)
	case err != nil:
		return a.outboxProblem(q.outbox, err)
	case q.json:
		a.printJSON(newEntry(e, a.providerOf(e.Account), true))
		return nil
	}
	stats, err := store.Stats(cmd.Context())
	if err != nil {
		return a.outboxProblem(q.outbox, err)
	}
	a.showEntry(e, stats)
	return nil
}

// showEntry tells everything about a message.
func (a *app) showEntry(e outbox.Entry, stats outbox.Stats) {
	a.heading(a.T("Message %d", e.ID))
	a.facts(e)
	provider := a.providerOf(e.Account)
	told, doubt := map[string]bool{}, false
	for _, s := range e.Recipients {
		a.outf("\n%s\n", a.recipientLine(s))
		a.history(e, s)
		f, ok := meaning(s.State, s.Answer, provider)
		if key := f.Cause.EN + f.Hint.EN + f.Advice.EN; ok && s.State != outbox.Cancelled && !told[key] {
			told[key] = true
			a.finding(a.Stdout, a.StdoutWidth, toldOf(f, s.State))
		}
		if s.State == outbox.Held && isLost(s.Answer) {
			a.outf("%s\n", a.lostText(e.ID))
		}
		doubt = doubt || s.State == outbox.InDoubt
	}
	if doubt {
		a.outf("\n")
		a.tellDoubt(e.ID)
	}
	for _, acc := range stats.Accounts {
		if acc.Account == e.Account && acc.PausedFor > 0 && !allFinal(e) {
			a.outf("\n%s\n", a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer))
			a.explainAnswer(a.Stdout, a.StdoutWidth, outbox.Deferred, acc.PauseAnswer, provider)
		}
	}
}

// facts are what holds for all recipients, aligned.
func (a *app) facts(e outbox.Entry) {
	rows := [][]string{{"", a.T("from"), visible(e.From.String())}}
	add := func(label, text string) {
		if text != "" {
			rows = append(rows, []string{"", label, visible(text)})
		}
	}
	add(a.T("account"), e.Account)
	add(a.T("subject"), e.Subject)
	add("Message-ID", e.MessageID)
	what := size(e.Size)
	if !e.HasBody {
		what += " · " + a.T("the text is gone")
	}
	add(a.T("size"), what)
	add(a.T("enqueued"), a.T("%s (%s)", a.moment(e.Created), a.away(e.Created)))
	if e.NotBefore.After(e.Created) {
		add(a.T("not before"), a.T("%s (%s)", a.moment(e.NotBefore), a.away(e.NotBefore)))
	}
	if !allFinal(e) {
		add(a.T("tried until"), a.T("%s (%s)", a.moment(e.Expires), a.away(e.Expires)))
	}
	if e.Priority != outbox.Normal {
		add(a.T("priority"), a.priorityName(e.Priority))
	}
	add(a.T("key"), e.Key)
	add(a.T("tags"), strings.Join(e.Tags, " "))
	if e.ReportOn != 0 {
		add(a.T("reports on"), a.T("message %d", e.ReportOn))
	}
	a.table(rows)
}

func (a *app) priorityName(p outbox.Priority) string {
	switch {
	case p > 0:
		return a.T("high")
	case p < 0:
		return a.T("low")
	}
	return a.T("normal")
}

// recipientLine is a recipient with its state and what comes next.
func (a *app) recipientLine(s outbox.Status) string {
	mark, colour := stateMark(s.State)
	line := a.paint(a.StdoutWidth, colour, mark) + " " + visible(s.Address.String()) + "  " + a.statusWord(s)
	if next := a.next(s); next != "" {
		line += " · " + next
	}
	if s.State.Final() && !s.Updated.IsZero() {
		line += " · " + a.moment(s.Updated)
	}
	if s.Worker != "" {
		line += " · " + a.T("by %s", visible(s.Worker))
	}
	if s.Doubted && s.State != outbox.InDoubt {
		line += " · " + a.T("was in doubt once")
	}
	return line
}

// history prints what happened to a recipient, a line for each event.
func (a *app) history(e outbox.Entry, s outbox.Status) {
	var rows [][]string
	for _, ev := range e.Events {
		if ev.N != s.N && ev.N >= 0 || ev.Kind == outbox.EventEnqueued {
			continue
		}
		rows = append(rows, []string{"  ", a.moment(ev.At), a.eventText(ev)})
	}
	if len(rows) > 0 {
		a.table(rows)
	}
}

// eventText is what happened, with the number of the attempt and the answer.
func (a *app) eventText(e outbox.Event) string {
	text := a.eventWord(e)
	if e.Attempt > 1 {
		text = a.T("attempt %d: %s", e.Attempt, text)
	}
	answer := a.answerLine(e.Answer)
	switch {
	case e.State == outbox.HandedOver && e.Answer.ServerID != "":
		answer = a.T("queued as %s", visible(e.Answer.ServerID))
	case e.State == outbox.HandedOver:
		answer = ""
	}
	if answer != "" {
		text += " · " + answer
	}
	if e.Kind == outbox.EventKind(outbox.Deferred) && e.Due.After(a.Now()) {
		text += " · " + a.T("again %s", a.away(e.Due))
	}
	return text
}

// eventWord is what happened; most events are called by the state that they led to.
func (a *app) eventWord(e outbox.Event) string {
	switch e.Kind {
	case outbox.EventEnqueued:
		return a.T("enqueued")
	case outbox.EventStale:
		return a.T("an answer came too late to be believed")
	case outbox.EventRetry:
		return a.T("to be tried again now, as somebody asked")
	case outbox.EventReleased:
		return a.T("released")
	case outbox.EventResent:
		return a.T("no longer in doubt: it is sent again")
	case outbox.EventFound:
		return a.T("found in the Sent folder: it was handed over")
	case outbox.EventLapsed:
		return a.T("given back: its worker went silent")
	}
	return a.stateWord(outbox.State(e.Kind))
}

// tellDoubt explains what a person has to decide.
func (a *app) tellDoubt(id outbox.ID) {
	lines := []string{
		a.T("What is in doubt is not sent again by itself. Look into the Sent folder, or ask the recipient."),
		a.T("It has arrived: %s", "yan queue resolve "+id.String()+" --sent"),
		a.T("It has not, or twice does no harm: %s", "yan queue resolve "+id.String()+" --resend"),
	}
	for _, line := range lines {
		a.outf("%s\n", line)
	}
}
