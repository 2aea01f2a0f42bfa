package sendcmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/sending"
)

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
	return a.T("%d messages in %s: %s", t.Messages, console.Duration(took)+a.perSecond(t.Messages-r.settled-t.NotTried, took), strings.Join(parts, a.T(", ")))
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
