package verdict

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// MessageReport is the result of one message.
type MessageReport struct {
	// Name is the file of the message, "" for a composed message and "-" for standard input; Number
	// is its position in an mbox file, from 1, otherwise 0.
	Name   string
	Number int
	As     sending.SentAs
	Result yan.Result
	Exit   int
	// Logged reports, by recipient, whether the outcome is from the log of an earlier run; nil if
	// none is.
	Logged []bool
	// Via holds, by recipient, the account that decided before a fallback account took over; nil if
	// none did.
	Via []*sending.SentAs
	// InsteadOf holds the outcome at each account that its fallback replaced.
	InsteadOf []sending.Handover
	// StoppedAfter is the stage of --quit-after if the session ended there.
	StoppedAfter string
	// Several is set if other messages are reported too. Told holds the advice that was printed
	// with them.
	Several bool
	Told    map[string]bool
}

// wasLogged reports whether the outcome of a recipient is from the log of an earlier run.
func (r MessageReport) wasLogged(recipient int) bool { return r.Logged != nil && r.Logged[recipient] }

// Form selects how results are printed.
type Form struct{ Quiet, Json bool }

// ResultStream returns the stream for results and its width. With --quiet only failures are printed, to
// standard error.
func (a *Reporter) ResultStream(quiet bool) (io.Writer, int) {
	if quiet {
		return a.Stderr, a.StderrWidth
	}
	return a.Stdout, a.StdoutWidth
}

// PrintReport prints the result of one message: as JSON, or a line for each recipient and, after a
// failure, cause and advice.
func (a *Reporter) PrintReport(f Form, r MessageReport) {
	switch {
	case f.Json:
		a.PrintJSON(newReport(r))
		return
	case r.StoppedAfter != "" && f.Quiet:
		return
	case r.StoppedAfter != "":
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("stopped after %s as requested; nothing was sent", r.StoppedAfter))
		return
	}
	name := ""
	if r.Several {
		name = a.MessageName(r.Name, r.Number)
	} else if r.Name != "" && r.Name != "-" && !f.Quiet {
		a.Outf("%s\n", command.QuoteName(r.Name))
	}
	w, width := a.ResultStream(f.Quiet)
	for i, o := range r.Result.Recipients {
		again := r.wasLogged(i)
		if o.Status == smtp.Accepted && (f.Quiet || again && r.Several) {
			continue
		}
		line := a.OutcomeLine(name, o, width)
		switch {
		case again:
			line += a.T("; not sent again")
		case r.Several && o.Status == smtp.Accepted && r.Result.ServerID != "":
			line += " · " + a.T("queued as %s", r.Result.ServerID)
		}
		_, _ = fmt.Fprintf(w, "%s\n", line)
	}
	if mayBeDelivered(r.Exit) && !f.Quiet && !r.Several && !r.wasLogged(0) {
		a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Dim, a.ReceiptLine(r.Result, r.As)))
	}
	if r.Exit != command.ExitOK {
		a.printAdvice(r)
	}
}

// OutcomeLine formats one recipient: a mark, the message if there are several,
// the address, the status, the reply.
func (a *Reporter) OutcomeLine(name string, o smtp.Outcome, width int) string {
	mark, colour := "✗", console.Red
	switch o.Status {
	case smtp.Accepted:
		mark, colour = "✓", console.Green
	case smtp.Unknown:
		mark, colour = "?", console.Yellow
	case smtp.Deferred, smtp.NotTried:
		mark, colour = "–", console.Yellow
	}
	if name != "" {
		name += "  "
	}
	line := fmt.Sprintf("%s %s%s  %s", a.Paint(width, colour, mark), name, o.Recipient, a.statusText(o.Status))
	why := a.ReasonText(o)
	switch {
	case o.Status == smtp.Accepted, why == "":
		return line
	case !atServer(o):
		return console.WrapIndented(line+a.T(": %s", why), "    ", width)
	}
	return console.WrapIndented(line+a.T(" (at %s): %s", strings.ToUpper(string(o.Stage)), why), "    ", width)
}

// ReasonText returns the server's reply, or the local error; "" for neither.
func (a *Reporter) ReasonText(o smtp.Outcome) string {
	switch {
	case !o.Reply.IsZero():
		return o.Reply.String()
	case o.Err != nil:
		return a.LocalError(o.Err)
	}
	return ""
}

// atServer reports whether an outcome happened at its stage. A message that was never begun did not
// fail at a stage.
func atServer(o smtp.Outcome) bool {
	for _, err := range []error{sending.ErrHopeless, sending.ErrLog, sendlog.ErrNoOutcome, mailfiles.ErrChanged, fs.ErrNotExist} {
		if errors.Is(o.Err, err) {
			return false
		}
	}
	return true
}

// LocalError translates common local errors. Other errors are technical and not translated.
func (a *Reporter) LocalError(err error) string {
	switch {
	case errors.Is(err, smtpclient.ErrAnotherRefused):
		return a.T("another recipient was not accepted, so nothing was sent; with --to-policy any the other recipients receive it")
	case errors.Is(err, smtpclient.ErrTooManyRecipients):
		return a.T("the message has more recipients than the server accepts at once, and --to-policy all does not split it")
	case errors.Is(err, smtpclient.ErrOutOfStep):
		_, detail, _ := strings.Cut(err.Error(), smtpclient.ErrOutOfStep.Error())
		return a.T("the server's replies do not match the commands") + console.Visible(detail)
	case errors.Is(err, transport.ErrPaused):
		return a.T("the server asked for a longer pause than yan's limit")
	case errors.Is(err, mailfiles.ErrChanged):
		return a.T("the file changed after it was checked")
	case errors.Is(err, smtpclient.ErrContent) && errors.Is(err, fs.ErrNotExist):
		return a.T("the file was removed after it was checked")
	case errors.Is(err, sendlog.ErrNoOutcome):
		return a.T("the run that sent it ended before the outcome was known")
	case errors.Is(err, sending.ErrHopeless):
		return a.T("the messages before it did not get past the login")
	case errors.Is(err, sending.ErrLog):
		return a.T("can't write the log")
	case errors.Is(err, ErrTimeout{}):
		return a.T("the --timeout has expired")
	case errors.Is(err, context.Canceled):
		return a.T("interrupted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return a.T("the server closed the connection")
	}
	return console.Visible(a.TranslateError(err))
}

// statusText returns the translated word; the word in JSON never changes.
func (a *Reporter) statusText(s smtp.Status) string {
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

// ReceiptLine returns the details of a sent message: size, account, server, Message-ID and queue ID.
func (a *Reporter) ReceiptLine(r yan.Result, as sending.SentAs) string {
	parts := []string{a.T("%s to %s", console.Size(r.Size), as.Server.String())}
	if as.Account != "" {
		parts[0] = a.T("%s from account %s to %s", console.Size(r.Size), as.Account, as.Server.String())
	}
	if r.MessageID != "" {
		parts = append(parts, "Message-ID: "+r.MessageID)
	}
	if r.ServerID != "" {
		parts = append(parts, a.T("queued as %s", r.ServerID))
	}
	return console.JoinWrapped(parts, a.StdoutWidth)
}

// printAdvice prints the cause and the advice. For several messages it prints the same advice only once.
func (a *Reporter) printAdvice(r MessageReport) {
	o, failed := r.Result.WorstOutcome()
	if !failed || errors.Is(o.Err, sending.ErrLog) || errors.Is(o.Err, sending.ErrHopeless) { // their errors are reported separately
		return
	}
	f := yan.Explain(o, r.As.Server.Provider.ID).At(r.As.Server.Host, r.As.Server.Port)
	key := f.Cause.EN + f.Hint.EN + f.Advice.EN
	if r.Told[key] {
		return
	}
	if r.Told != nil {
		r.Told[key] = true
	}
	if !r.Several {
		a.Errf("\n")
	}
	a.PrintFinding(a.Stderr, a.StderrWidth, f)
}

// mayBeDelivered reports whether a recipient may have the message. Then the receipt helps to
// find it.
func mayBeDelivered(exit int) bool {
	return exit == command.ExitOK || exit == command.ExitPartial || exit == command.ExitUnknown
}

// MessageName returns the name of a message for display: its file, and its number in it.
func (a *Reporter) MessageName(name string, number int) string {
	if number > 0 {
		return a.T("%s message %d", command.QuoteName(name), number)
	}
	return command.QuoteName(name)
}
