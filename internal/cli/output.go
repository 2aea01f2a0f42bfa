package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// report is what became of one message.
type report struct {
	job    *job
	server transport.Server
	result yan.Result
	exit   int
	// stopped: --quit-after ended it where it was to end.
	stopped bool
}

// report tells what became of one message: to programs as JSON, to people a
// line for each recipient and, when something failed, why and what to do.
func (a *app) report(s *sendFlags, r report) {
	switch {
	case s.json:
		a.printJSON(newReport(r))
		return
	case r.stopped && s.quiet:
		return
	case r.stopped:
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("stopped after %s, as asked; nothing was sent", s.quitAfter))
		return
	}
	if r.job.name != "" && !s.quiet {
		a.outf("%s\n", r.job.name)
	}
	w, width := a.Stdout, a.StdoutWidth
	if s.quiet {
		w, width = a.Stderr, a.StderrWidth
	}
	for _, o := range r.result.Recipients {
		if !s.quiet || o.Status != smtp.Accepted {
			_, _ = fmt.Fprintf(w, "%s\n", a.outcomeLine(o, width))
		}
	}
	if r.exit == exitOK && !s.quiet {
		a.outf("%s\n", a.paint(a.StdoutWidth, dim, a.receipt(r.server, r.result)))
	}
	if r.exit != exitOK {
		a.advise(r)
	}
}

// outcomeLine is one recipient: a mark, the address, the status, the reply.
func (a *app) outcomeLine(o smtp.Outcome, width int) string {
	mark, colour := "✗", red
	switch o.Status {
	case smtp.Accepted:
		mark, colour = "✓", green
	case smtp.Unknown:
		mark, colour = "?", yellow
	case smtp.Deferred, smtp.NotTried:
		mark, colour = "–", yellow
	}
	line := fmt.Sprintf("%s %s  %s", a.paint(width, colour, mark), o.Recipient, a.status(o.Status))
	if o.Status == smtp.Accepted {
		return line
	}
	var why string
	switch {
	case !o.Reply.IsZero():
		why = o.Reply.String()
	case o.Err != nil:
		why = a.localError(o.Err)
	default:
		return line
	}
	return line + a.T(" (at %s): %s", strings.ToUpper(string(o.Stage)), why)
}

// localError says in the user's language what happened on this side where it
// is something common; the rest is technical and stays as it is.
func (a *app) localError(err error) string {
	switch {
	case errors.Is(err, smtpclient.ErrAnotherRefused):
		return a.T("another recipient was refused, and --to-policy all sends to nobody then")
	case errors.Is(err, errTimeout{}):
		return a.T("the time of --timeout is over")
	case errors.Is(err, context.Canceled):
		return a.T("interrupted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return a.T("the server closed the connection")
	}
	return err.Error()
}

// status is the word for people; the one in JSON never changes.
func (a *app) status(s smtp.Status) string {
	switch s {
	case smtp.Accepted:
		return a.T("accepted")
	case smtp.Refused:
		return a.T("refused")
	case smtp.Deferred:
		return a.T("deferred")
	case smtp.Unknown:
		return a.T("unknown")
	default:
		return a.T("not tried")
	}
}

// receipt is what one keeps of a message that went out.
func (a *app) receipt(server transport.Server, r yan.Result) string {
	parts := []string{a.T("%s to %s", size(r.Size), server.String())}
	if r.MessageID != "" {
		parts = append(parts, "Message-ID: "+r.MessageID)
	}
	if r.ServerID != "" {
		parts = append(parts, a.T("queued as %s", r.ServerID))
	}
	return "  " + strings.Join(parts, " · ")
}

// advise says why, and the one thing to do.
func (a *app) advise(r report) {
	if o, failed := r.result.Decisive(); failed {
		a.errf("\n")
		a.finding(a.Stderr, a.StderrWidth, yan.Explain(o, r.server.Provider.ID))
	}
}

// finding prints a diagnosis: what happened, what to do, and where.
func (a *app) finding(w io.Writer, width int, f diagnosis.Finding) {
	say := func(label, text string) {
		if text == "" {
			return
		}
		if label != "" {
			label = a.paint(width, bold, label)
		} else {
			label = "     "
		}
		_, _ = fmt.Fprintf(w, "%s%s\n", label, text)
	}
	say(a.T("Why: "), a.Pick(f.Cause.EN, f.Cause.ZH))
	say("", a.Pick(f.Hint.EN, f.Hint.ZH))
	say(a.T("What to do: "), a.Pick(f.Advice.EN, f.Advice.ZH))
	say(a.T("Where: "), a.Pick(f.Where.EN, f.Where.ZH))
	for _, url := range f.HelpURLs {
		say("", url)
	}
}
