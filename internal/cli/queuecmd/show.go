package queuecmd

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) showCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:               "show " + a.T("ID"),
		Short:             a.T("Show a message: its recipients, their attempts, and the meaning of the replies"),
		Example:           "  yan queue show 12\n  yan queue show 12 --json",
		ValidArgsFunction: a.completeIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.queueShow(cmd, q, args) },
	}
	q.registerFlags(a.chooser, cmd)
	return cmd
}

// entryPrinter prints a message with its history.
type entryPrinter struct{ describer }

func (a *queueCommands) queueShow(cmd *cobra.Command, q *queueFlags, args []string) error {
	id, err := a.parseOneID(args)
	if err != nil {
		return err
	}
	store, err := a.OpenReadOnly(cmd.Context(), q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.noMessageError(id)
	}
	defer store.Close() // opened for reading only
	e, err := store.Show(cmd.Context(), id)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return a.noMessageError(id)
	case err != nil:
		return a.OutboxProblem(q.outbox, err)
	case q.json:
		a.PrintJSON(newEntry(e, a.providerOf(e.Account), true))
		return nil
	}
	stats, err := store.Stats(cmd.Context())
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	entryPrinter{a.describer}.showEntry(e, stats)
	return nil
}

// showEntry prints all facts about a message.
func (a entryPrinter) showEntry(e queue.Entry, stats queue.Stats) {
	a.Heading(a.T("Message %d", e.ID))
	a.printFacts(e)
	provider := a.providerOf(e.Account)
	told, doubt := map[string]bool{}, false
	for _, s := range e.Recipients {
		a.Outf("\n%s\n", a.recipientLine(s))
		a.printHistory(e, s)
		f, ok := explainedFinding(s.State, s.Answer, provider)
		if key := f.Cause.EN + f.Hint.EN + f.Advice.EN; ok && s.State != queue.Cancelled && !told[key] {
			told[key] = true
			a.PrintFinding(a.Stdout, a.StdoutWidth, withoutOwnAdvice(f, s.State))
		}
		if s.State == queue.Held && isLost(s.Answer) {
			a.Outf("%s\n", a.lostText(e.ID))
		}
		doubt = doubt || s.State == queue.InDoubt
	}
	if doubt {
		a.Outf("\n")
		a.printDoubt(e.ID)
	}
	for _, acc := range stats.Accounts {
		if acc.Account == e.Account && acc.PausedFor > 0 && !allFinal(e) {
			a.Outf("\n%s\n", a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer))
			a.explainAnswer(a.Stdout, a.StdoutWidth, queue.Deferred, acc.PauseAnswer, provider)
		}
	}
}

// printFacts prints the facts that hold for all recipients, aligned.
func (a entryPrinter) printFacts(e queue.Entry) {
	rows := [][]string{{"", a.T("from"), console.Visible(e.From.String())}}
	add := func(label, text string) {
		if text != "" {
			rows = append(rows, []string{"", label, console.Visible(text)})
		}
	}
	add(a.T("account"), e.Account)
	add(a.T("subject"), e.Subject)
	add("Message-ID", e.MessageID)
	what := console.Size(e.Size)
	if !e.HasBody {
		what += " · " + a.T("content deleted")
	}
	add(a.T("size"), what)
	add(a.T("enqueued"), a.T("%s (%s)", a.Moment(e.Created), a.Away(e.Created)))
	if e.NotBefore.After(e.Created) {
		add(a.T("not before"), a.T("%s (%s)", a.Moment(e.NotBefore), a.Away(e.NotBefore)))
	}
	if !allFinal(e) {
		add(a.T("tried until"), a.T("%s (%s)", a.Moment(e.Expires), a.Away(e.Expires)))
	}
	if e.Priority != queue.Normal {
		add(a.T("priority"), a.priorityName(e.Priority))
	}
	add(a.T("key"), e.Key)
	add(a.T("tags"), strings.Join(e.Tags, " "))
	if e.ReportOn != 0 {
		add(a.T("report on"), a.T("message %d", e.ReportOn))
	}
	a.Table(rows)
}

// recipientLine returns a recipient with its state and the next step.
func (a entryPrinter) recipientLine(s queue.Recipient) string {
	mark, colour := stateMark(s.State)
	line := a.Paint(a.StdoutWidth, colour, mark) + " " + console.Visible(s.Address.String()) + "  " + a.statusWord(s)
	if next := a.nextStep(s); next != "" {
		line += " · " + next
	}
	if s.State.Final() && !s.Updated.IsZero() {
		line += " · " + a.Moment(s.Updated)
	}
	if s.Worker != "" {
		line += " · " + a.T("by %s", console.Visible(s.Worker))
	}
	if s.Doubted && s.State != queue.InDoubt {
		line += " · " + a.T("was in doubt")
	}
	return line
}

// printHistory prints a line for each event of a recipient.
func (a entryPrinter) printHistory(e queue.Entry, s queue.Recipient) {
	var rows [][]string
	for _, ev := range e.Events {
		if ev.N != s.N && ev.N >= 0 || ev.Kind == queue.EventEnqueued {
			continue
		}
		rows = append(rows, []string{"  ", a.Moment(ev.At), a.eventText(ev)})
	}
	if len(rows) > 0 {
		a.Table(rows)
	}
}

// printDoubt explains the decision about a message in doubt.
func (a entryPrinter) printDoubt(id queue.ID) {
	lines := []string{
		a.T("Recipients in doubt are not retried automatically. Check the Sent folder, or ask the recipient."),
		a.T("If it arrived: %s", "yan queue resolve "+id.String()+" --sent"),
		a.T("If it did not, or a second copy does no harm: %s", "yan queue resolve "+id.String()+" --resend"),
	}
	for _, line := range lines {
		a.Outf("%s\n", line)
	}
}
