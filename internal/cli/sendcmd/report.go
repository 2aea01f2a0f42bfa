package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/smtp"
)

// handleEvent prints the events of the run.
func (r *sendRun) handleEvent(ctx context.Context, e sending.RunEvent) {
	a := r.a
	switch e := e.(type) {
	case sending.Reported:
		r.reportMessage(e)
	case sending.TookOver:
		r.noteOnce(a.T("Account %s: %s (at %s); using fallback account %s.", e.From, a.ReasonText(e.Outcome), string(e.Outcome.Stage), e.To))
	case sending.NotTakenOver:
		r.reportNotTakenOver(e)
	case sending.LoggedIn:
		a.LocalLoginWorked(ctx, e.Account, r.s.json || r.s.quiet)
	case sending.Unreached:
		r.bar.countSettled(e.Message)
		r.noteOnce(a.T("%s can't be reached: %s. The messages go into the outbox.", e.Server.String(), a.ReasonText(e.Outcome)))
	case sending.Copied:
		r.reportCopy(e)
	case sending.Draining:
		r.bar.printAround(true, func() {
			a.Hint(a.T("Interrupted: waiting for the messages in flight, at most %s; press Ctrl-C again to stop now.", a.Roughly(e.Timeout)))
		})
	}
}

// reportMessage prints the outcome of a message, or adds it to a group of messages that failed for the
// same reason.
func (r *sendRun) reportMessage(e sending.Reported) {
	if e.Reason != nil {
		r.worst = command.WorseStatus(r.worst, command.ExitTemporary)
		if !r.s.json && len(r.messages) > 1 {
			why := r.a.LocalError(e.Reason)
			r.groups.add(why)
			if errors.Is(e.Reason, sending.ErrHopeless) { // merge the earlier messages that failed for the same reason
				r.groups.merge(why)
			}
			return
		}
	}
	code := verdict.ExitStatus(e.Result, e.As.Server.Provider.ID)
	stopped := ""
	if verdict.ReachedStop(r.s.QuitAfter, e.Result) {
		code, stopped = command.ExitOK, r.s.QuitAfter
	}
	grouped := false
	if code != command.ExitOK {
		r.worst = command.WorseStatus(r.worst, code)
		grouped = r.groupFailure(e)
	}
	if e.Reason == nil {
		r.bar.countSettled(e.Message)
	}
	if grouped {
		return
	}
	r.bar.printAround(r.a.StdoutWidth > 0 || code != command.ExitOK, func() {
		r.a.PrintReport(verdict.Form{Quiet: r.s.quiet, Json: r.s.json}, verdict.MessageReport{Name: e.Message.File, Number: e.Message.Number, As: e.As, Result: e.Result, Exit: code,
			Logged: e.Logged, Via: e.Via, InsteadOf: e.InsteadOf, StoppedAfter: stopped, Several: len(r.messages) > 1, Told: r.told})
	})
}

// reportNotTakenOver prints why a fallback account is not used.
func (r *sendRun) reportNotTakenOver(e sending.NotTakenOver) {
	switch {
	case e.Err != nil:
		r.noteOnce(r.a.T("Fallback account %s is not used: %v.", e.Account, e.Err))
	case !e.Sender.IsZero():
		r.noteOnce(r.a.T("Fallback account %s is not used: it can't send as %s.", e.Account, e.Sender))
	default:
		r.noteOnce(r.a.T("Fallback account %s is not used: %v.", e.Account, r.a.ReasonText(e.Outcome)))
	}
}

// noteOnce prints a text that explains results, once per run, even without a terminal.
func (r *sendRun) noteOnce(text string) {
	if r.s.quiet || r.s.json || r.told[text] {
		return
	}
	r.told[text] = true
	r.bar.printAround(true, func() { r.a.Errf("%s\n", text) })
}

// reportCopy prints where the copy of a message is. The text output shows an error once, the JSON
// output with each message.
func (r *sendRun) reportCopy(e sending.Copied) {
	if e.First {
		r.reportNoCopy(e.Account, e.Err)
	}
	switch {
	case r.s.json:
		out := jsonout.SentCopy{Event: "sent_copy", File: e.Message.File, Number: e.Message.Number, Account: e.Account, MessageID: e.MessageID, Folder: e.Folder}
		if e.Err != nil {
			out.Error = e.Err.Error()
		}
		r.a.PrintJSON(out)
	case e.Err == nil && !r.s.quiet && len(r.messages) == 1:
		r.bar.printAround(r.a.StdoutWidth > 0, func() {
			r.a.Outf("%s\n", r.a.Paint(r.a.StdoutWidth, console.Dim, "  "+r.a.T("copy saved in %s", e.Folder)))
		})
	}
}

// reportNoCopy prints that the message was sent, but no copy was saved.
func (r *sendRun) reportNoCopy(account string, err error) {
	why := console.Visible(r.a.TranslateError(err))
	if failed, ok := errors.AsType[*imapclient.Error](err); ok && len(failed.Folders) > 0 {
		why += "; " + r.a.T("available: %s", r.a.Listed(failed.Folders))
	}
	if _, ok := errors.AsType[*secret.Error](err); ok {
		why = r.a.BadSecret(r.identities[account].Account, err).Error()
	}
	text := r.a.T("The message was sent, but no copy was saved in the Sent folder: %s", why)
	if errors.Is(err, imapclient.ErrUnknown) {
		text = r.a.T("The message was sent, but it is unknown whether a copy was saved in the Sent folder: %s", why)
	}
	r.bar.printAround(true, func() { r.a.Errf("%s\n", text) })
}

// groupedFailures counts messages that were not tried by reason, in the order of the reasons.
type groupedFailures struct {
	reasons []string
	counts  map[string]int
}

func (g *groupedFailures) add(reason string) {
	if g.counts == nil {
		g.counts = map[string]int{}
	}
	if g.counts[reason] == 0 {
		g.reasons = append(g.reasons, reason)
	}
	g.counts[reason]++
}

// merge replaces all reasons with one.
func (g *groupedFailures) merge(reason string) {
	total := 0
	for _, count := range g.counts {
		total += count
	}
	g.reasons, g.counts = []string{reason}, map[string]int{reason: total}
}

// groupFailure counts a message that failed before MAIL for a reason that was printed already. A server
// that can't be reached would otherwise print thousands of lines.
func (r *sendRun) groupFailure(e sending.Reported) bool {
	if r.s.json || len(r.messages) == 1 || r.s.QuitAfter != "" || len(e.Result.Recipients) == 0 || e.Decided {
		return false
	}
	first := e.Result.Recipients[0]
	for _, o := range e.Result.Recipients {
		if o.Status != smtp.NotTried || !o.Stage.BeforeMail() || o.Reply.String() != first.Reply.String() {
			return false
		}
	}
	reason := strings.TrimSpace(r.a.ReasonText(first))
	if !r.told[reason] {
		r.told[reason] = true
		return false
	}
	r.groups.add(reason)
	return true
}

// printGroups prints a line for each group.
func (r *sendRun) printGroups() {
	for _, reason := range r.groups.reasons {
		w, width := r.a.ResultStream(r.s.quiet)
		_, _ = fmt.Fprintf(w, "%s %s\n", r.a.Paint(width, console.Yellow, "–"),
			r.a.T("%d of %d messages not tried: %s", r.groups.counts[reason], len(r.messages), reason))
	}
}

// printSummary prints the summary of several messages, and the next step.
func (r *sendRun) printSummary(t sending.Summary, took time.Duration) {
	a := r.a
	if len(r.messages) > 1 && t.Messages > 0 {
		switch line := r.summaryLine(t, took); {
		case r.s.json:
			a.Hint(line)
		case !r.s.quiet:
			a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Bold, line))
		}
	}
	if r.s.json || r.s.quiet {
		return
	}
	if t.OutOfStep && !r.s.LockStep {
		a.Errf("%s\n", a.T("This server can't handle pipelined commands: use --no-pipelining."))
	}
	switch {
	case r.s.log == "" && t.Missing > 0 && len(r.messages) > 1:
		a.Hint(a.T("With --log FILE, running the same command again sends only the missing messages."))
	case r.s.log == "":
	case t.Missing > 0:
		a.Errf("%s\n", a.T("Run the same command again to send the rest: %s records which messages were sent.", command.QuoteName(r.s.log)))
	}
	if t.UnknownTo > 0 {
		a.Errf("%s\n", a.T("%d still unknown: ask the recipients, or resend with --resend unknown.", t.UnknownTo))
	}
	if t.RefusedTo > 0 {
		a.Errf("%s\n", a.T("%d refused permanently earlier: use --resend refused to try again.", t.RefusedTo))
	}
	if t.Unreachable && r.s.id != nil && len(t.Unreached) == 0 && r.s.log == "" {
		a.Errf("%s\n", a.T("Or queue it: the same command with --queue puts it into the outbox, and 'yan queue run' sends it once the server can be reached."))
	}
}

// summaryLine returns a line like "3 messages in 1.2 s (2.5/s): 2 sent, 1 refused".
func (r *sendRun) summaryLine(t sending.Summary, took time.Duration) string {
	a := r.a
	var parts []string
	add := func(n int, words string) {
		if n > 0 {
			parts = append(parts, words)
		}
	}
	add(t.Sent, a.T("%d sent", t.Sent))
	add(t.Before, a.T("%d sent before", t.Before))
	add(t.Partial, a.T("%d sent to some", t.Partial))
	add(t.Refused, a.T("%d refused", t.Refused))
	add(t.Deferred, a.T("%d deferred", t.Deferred))
	add(t.Unknown, a.T("%d unknown", t.Unknown))
	add(t.NotTried, a.T("%d not tried", t.NotTried))
	if r.s != nil {
		add(len(r.s.bad), a.T("%d invalid and skipped", len(r.s.bad)))
	}
	return a.T("%d messages in %s: %s", t.Messages, console.Duration(took)+a.perSecond(t.Messages-(len(r.messages)-len(r.pending))-t.NotTried, took), strings.Join(parts, a.T(", ")))
}

// perSecond returns a rate in brackets, or "" if no time passed.
func (a *sendCommand) perSecond(n int, took time.Duration) string {
	if took <= 0 || n <= 0 {
		return ""
	}
	return a.T(" (%s/s)", formatRate(n, took))
}

// formatRate formats a number per second with at most one decimal place.
func formatRate(n int, took time.Duration) string {
	perSecond := float64(n) / took.Seconds()
	if perSecond < 9.95 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return fmt.Sprintf("%.0f", perSecond)
}
