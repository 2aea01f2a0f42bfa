package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// report is what became of one message.
type report struct {
	// name is the file it is from, "" for a composed message and "-" for standard
	// input; number is its place in an mbox file, from 1, else 0.
	name   string
	number int
	as     sentAs
	result yan.Result
	exit   int
	// logged reports whether the outcome of the recipient at a place is from the
	// log of an earlier run.
	logged func(place int) bool
	// via has, by recipient, the account that decided before another took over; nil
	// if none did.
	via []*sentAs
	// insteadOf has, for each account that another one took over for, the reason.
	insteadOf []handover
	// stoppedAfter is the stage of --quit-after if the conversation ended there.
	stoppedAfter string
	// several: other messages are reported, too; told is the advice that was given
	// with them.
	several bool
	told    map[string]bool
}

// sentAs is the account and the sender of a message.
type sentAs struct {
	account             string // "" for none
	server              transport.Server
	from                smtp.Address
	messageID, serverID string
}

// handover is the reason why another account took over.
type handover struct {
	account string
	outcome smtp.Outcome
}

// form is how results are printed.
type form struct{ quiet, json bool }

// results is where people read what became of messages: with --quiet that is
// only what went wrong, and an error.
func (a *app) results(quiet bool) (io.Writer, int) {
	if quiet {
		return a.Stderr, a.StderrWidth
	}
	return a.Stdout, a.StdoutWidth
}

// report tells what became of one message: to programs as JSON, to people a
// line for each recipient and, when something failed, why and what to do.
func (a *app) report(f form, r report) {
	switch {
	case f.json:
		a.printJSON(newReport(r))
		return
	case r.stoppedAfter != "" && f.quiet:
		return
	case r.stoppedAfter != "":
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("stopped after %s, as asked; nothing was sent", r.stoppedAfter))
		return
	}
	name := ""
	if r.several {
		name = a.messageName(r.name, r.number)
	} else if r.name != "" && r.name != "-" && !f.quiet {
		a.outf("%s\n", printable(r.name))
	}
	w, width := a.results(f.quiet)
	for i, o := range r.result.Recipients {
		again := r.logged(i)
		if o.Status == smtp.Accepted && (f.quiet || again && r.several) {
			continue
		}
		line := a.outcomeLine(name, o, width)
		switch {
		case again:
			line += a.T("; not sent again")
		case r.several && o.Status == smtp.Accepted && r.result.ServerID != "":
			line += " · " + a.T("queued as %s", r.result.ServerID)
		}
		_, _ = fmt.Fprintf(w, "%s\n", line)
	}
	if somebodyMayHaveIt(r.exit) && !f.quiet && !r.several && !r.logged(0) {
		a.outf("%s\n", a.paint(a.StdoutWidth, dim, a.receipt(r.result, r.as)))
	}
	if r.exit != exitOK {
		a.advise(r)
	}
}

// outcomeLine is one recipient: a mark, the message if there are several, the
// address, the status, the reply.
func (a *app) outcomeLine(name string, o smtp.Outcome, width int) string {
	mark, colour := "✗", red
	switch o.Status {
	case smtp.Accepted:
		mark, colour = "✓", green
	case smtp.Unknown:
		mark, colour = "?", yellow
	case smtp.Deferred, smtp.NotTried:
		mark, colour = "–", yellow
	}
	if name != "" {
		name += "  "
	}
	line := fmt.Sprintf("%s %s%s  %s", a.paint(width, colour, mark), name, o.Recipient, a.status(o.Status))
	why := a.why(o)
	switch {
	case o.Status == smtp.Accepted, why == "":
		return line
	case !atServer(o):
		return hang(line+a.T(": %s", why), "    ", width)
	}
	return hang(line+a.T(" (at %s): %s", strings.ToUpper(string(o.Stage)), why), "    ", width)
}

// why is the server's reply, or what happened on this side; "" for neither.
func (a *app) why(o smtp.Outcome) string {
	switch {
	case !o.Reply.IsZero():
		return o.Reply.String()
	case o.Err != nil:
		return a.localError(o.Err)
	}
	return ""
}

// atServer reports whether the stage of an outcome says where it happened: a
// message that was never begun did not fail at a stage.
func atServer(o smtp.Outcome) bool {
	for _, err := range []error{errHopeless, errLog, sendlog.ErrNoOutcome, mailfiles.ErrChanged, fs.ErrNotExist} {
		if errors.Is(o.Err, err) {
			return false
		}
	}
	return true
}

// localError says in the user's language what happened on this side where it
// is something common; the rest is technical and stays as it is.
func (a *app) localError(err error) string {
	switch {
	case errors.Is(err, smtpclient.ErrAnotherRefused):
		return a.T("another recipient was not accepted, so nothing was sent; with --to-policy any the others get it")
	case errors.Is(err, smtpclient.ErrTooManyRecipients):
		return a.T("more recipients than the server takes at a time, and --to-policy all does not split a message")
	case errors.Is(err, smtpclient.ErrOutOfStep):
		_, detail, _ := strings.Cut(err.Error(), smtpclient.ErrOutOfStep.Error())
		return a.T("the server's replies do not fit the commands") + visible(detail)
	case errors.Is(err, transport.ErrPaused):
		return a.T("the server asked for a longer pause than yan waits")
	case errors.Is(err, mailfiles.ErrChanged):
		return a.T("the file changed after it was checked")
	case errors.Is(err, smtpclient.ErrContent) && errors.Is(err, fs.ErrNotExist):
		return a.T("the file is gone since it was checked")
	case errors.Is(err, sendlog.ErrNoOutcome):
		return a.T("the run that sent it ended before the outcome was known")
	case errors.Is(err, errHopeless):
		return a.T("the messages before came no further than the login")
	case errors.Is(err, errLog):
		return a.T("the log can't be written")
	case errors.Is(err, errTimeout{}):
		return a.T("the time of --timeout is over")
	case errors.Is(err, context.Canceled):
		return a.T("interrupted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return a.T("the server closed the connection")
	}
	return visible(a.Say(err))
}

// visible is a text on one line that does nothing to a terminal. What went wrong is
// told in words that others chose, before anybody is trusted: an error names the names
// of a certificate, and what a proxy said.
func visible(text string) string { return smtp.DecodeText([]byte(text)) }

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
func (a *app) receipt(r yan.Result, as sentAs) string {
	parts := []string{a.T("%s to %s", size(r.Size), as.server.String())}
	if as.account != "" {
		parts[0] = a.T("%s from account %s to %s", size(r.Size), as.account, as.server.String())
	}
	if r.MessageID != "" {
		parts = append(parts, "Message-ID: "+r.MessageID)
	}
	if r.ServerID != "" {
		parts = append(parts, a.T("queued as %s", r.ServerID))
	}
	return joined(parts, a.StdoutWidth)
}

// advise says why, and the one thing to do; the same only once where there are
// several messages.
func (a *app) advise(r report) {
	o, failed := r.result.Decisive()
	if !failed || errors.Is(o.Err, errLog) || errors.Is(o.Err, errHopeless) { // what is behind them is told by itself
		return
	}
	f := yan.Explain(o, r.as.server.Provider.ID).At(r.as.server.Host, r.as.server.Port)
	key := f.Cause.EN + f.Hint.EN + f.Advice.EN
	if r.told[key] {
		return
	}
	if r.told != nil {
		r.told[key] = true
	}
	if !r.several {
		a.errf("\n")
	}
	a.finding(a.Stderr, a.StderrWidth, f)
}

// finding prints a diagnosis: what happened, what to do, and where.
func (a *app) finding(w io.Writer, width int, f diagnosis.Finding) {
	indent := "" // of the text after the last label
	say := func(label, text string) {
		if text == "" {
			return
		}
		if label != "" {
			indent = strings.Repeat(" ", columns(label))
		}
		lines := []string{text}
		if width > 0 { // a terminal would break the line inside a word
			lines = wrap(text, max(20, min(width, 100)-len(indent)))
		}
		for i, line := range lines {
			if i > 0 || label == "" {
				_, _ = fmt.Fprintf(w, "%s%s\n", indent, line)
				continue
			}
			_, _ = fmt.Fprintf(w, "%s%s\n", a.paint(width, bold, label), line)
		}
	}
	hint, advice := f.Hint, f.Advice
	if strings.HasPrefix(hint.ZH, "请") { // it is an advice itself, and a more exact one
		hint, advice = diagnosis.Text{}, hint
	}
	say(a.T("Why: "), a.Pick(f.Cause.EN, f.Cause.ZH))
	say("", a.Pick(hint.EN, hint.ZH))
	say(a.T("What to do: "), a.Pick(advice.EN, advice.ZH))
	say(a.T("Where: "), a.Pick(f.Where.EN, f.Where.ZH))
	for _, url := range f.HelpURLs {
		say("", url)
	}
}

// somebodyMayHaveIt: by what the receipt says, it is found again.
func somebodyMayHaveIt(exit int) bool {
	return exit == exitOK || exit == exitPartial || exit == exitUnknown
}

// messageName is a message as the user finds it again.
func (a *app) messageName(name string, number int) string {
	if number > 0 {
		return a.T("%s message %d", printable(name), number)
	}
	return printable(name)
}
