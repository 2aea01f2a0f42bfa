package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
		if a.IsLocalOutbox() {
			a.LoginWorked(ctx, e.Account, r.s.json || r.s.quiet)
		}
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
	} else {
		r.bar.countSettled(e.Message)
	}
	code := verdict.ExitStatus(e.Result, e.As.Server.Provider.ID)
	stopped := ""
	if verdict.ReachedStop(r.s.QuitAfter, e.Result) {
		code, stopped = command.ExitOK, r.s.QuitAfter
	}
	r.worst = command.WorseStatus(r.worst, code)
	if r.groupFailure(e) {
		return
	}
	r.bar.printAround(r.a.StdoutWidth > 0 || code != command.ExitOK, func() {
		r.a.PrintReport(verdict.Form{Quiet: r.s.quiet, Json: r.s.json}, verdict.MessageReport{Name: e.Message.File, Number: e.Message.Number, As: e.As, Result: e.Result, Exit: code,
			Logged: e.Message.FromLog, Via: e.Via, InsteadOf: e.InsteadOf, StoppedAfter: stopped, Several: len(r.messages) > 1, Told: r.told})
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
	w, width := r.a.ResultStream(r.s.quiet)
	for _, reason := range r.groups.reasons {
		_, _ = fmt.Fprintf(w, "%s %s\n", r.a.Paint(width, console.Yellow, "–"),
			r.a.T("%d of %d messages not tried: %s", r.groups.counts[reason], len(r.messages), reason))
	}
}
