package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// report tells what became of one message: to programs as JSON, to people a
// line for each recipient and, when something failed, why and what to do.
func (a *app) report(s *sendFlags, j *job, server transport.Server, r yan.Result, code int) {
	if s.json {
		a.printJSON(newReport(j, server, r, code))
		return
	}
	if s.quitAfter != "" && code == exitOK {
		if !s.quiet {
			a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("stopped after %s, as asked; nothing was sent", s.quitAfter))
		}
		return
	}
	if j.name != "" && !s.quiet {
		a.outf("%s\n", j.name)
	}
	for _, o := range r.Recipients {
		if s.quiet && o.Status == smtp.Accepted {
			continue
		}
		w, width := a.Stdout, a.StdoutWidth
		if s.quiet {
			w, width = a.Stderr, a.StderrWidth
		}
		_, _ = fmt.Fprintf(w, "%s\n", a.outcomeLine(o, width))
	}
	if code == exitOK && !s.quiet {
		a.outf("%s\n", a.paint(a.StdoutWidth, dim, a.receipt(server, r)))
	}
	if code != exitOK {
		a.advise(r, server)
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
	switch {
	case o.Status == smtp.Accepted:
	case !o.Reply.IsZero():
		line += fmt.Sprintf(" (%s): %s", strings.ToUpper(string(o.Stage)), o.Reply)
	case o.Err != nil:
		line += fmt.Sprintf(" (%s): %s", strings.ToUpper(string(o.Stage)), o.Err)
	}
	return line
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
func (a *app) advise(r yan.Result, server transport.Server) {
	o, failed := r.Decisive()
	if !failed {
		return
	}
	f := yan.Explain(o, server.Provider.ID)
	a.errf("\n")
	a.finding(a.Stderr, a.StderrWidth, f)
}

// finding prints a diagnosis: what happened, what to do, and where.
func (a *app) finding(w io.Writer, width int, f diagnosis.Finding) {
	say := func(label, en, zh string) {
		if text := a.Pick(en, zh); text != "" {
			_, _ = fmt.Fprintf(w, "%s %s\n", a.paint(width, bold, label), text)
		}
	}
	say(a.T("Why:"), f.Cause.EN, f.Cause.ZH)
	say("    ", f.Hint.EN, f.Hint.ZH)
	say(a.T("What to do:"), f.Advice.EN, f.Advice.ZH)
	say(a.T("Where:"), f.Where.EN, f.Where.ZH)
	for _, url := range f.HelpURLs {
		say("    ", url, url)
	}
}

// reportJSON is the schema of --json; docs/json.md describes it. Fields are
// added, never renamed or removed, and no language changes them.
type reportJSON struct {
	File       string          `json:"file,omitempty"`
	Status     string          `json:"status"` // "sent", "partial", "unknown" or "failed"
	Exit       int             `json:"exit"`
	Server     string          `json:"server"`
	Provider   string          `json:"provider,omitempty"`
	From       string          `json:"from"`
	MessageID  string          `json:"message_id,omitempty"`
	ServerID   string          `json:"server_id,omitempty"`
	Size       int64           `json:"size"`
	Recipients []recipientJSON `json:"recipients"`
	Diagnosis  *diagnosisJSON  `json:"diagnosis,omitempty"`
}

type recipientJSON struct {
	Address  string `json:"address"`
	Status   string `json:"status"`
	Stage    string `json:"stage"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
}

type diagnosisJSON struct {
	Class      string            `json:"class"`
	Scope      string            `json:"scope"`
	Permanence string            `json:"permanence"`
	Retry      string            `json:"retry"`
	RetryAfter int64             `json:"retry_after_seconds,omitempty"`
	Cause      map[string]string `json:"cause"`
	Advice     map[string]string `json:"advice"`
}

func newReport(j *job, server transport.Server, r yan.Result, code int) reportJSON {
	rep := reportJSON{File: j.name, Status: "failed", Exit: code, Server: server.String(), Provider: server.Provider.ID,
		From: j.envelope.From().String(), MessageID: r.MessageID, ServerID: r.ServerID, Size: r.Size}
	switch code {
	case exitOK:
		rep.Status = "sent"
	case exitPartial:
		rep.Status = "partial"
	case exitUnknown:
		rep.Status = "unknown"
	}
	for _, o := range r.Recipients {
		rec := recipientJSON{Address: o.Recipient.String(), Status: string(o.Status), Stage: string(o.Stage),
			Code: o.Reply.Code, Enhanced: o.Reply.Enhanced.String(), Text: o.Reply.Text()}
		if o.Err != nil {
			rec.Error = o.Err.Error()
		}
		rep.Recipients = append(rep.Recipients, rec)
	}
	if o, failed := r.Decisive(); failed && code != exitOK {
		rep.Diagnosis = newDiagnosis(yan.Explain(o, server.Provider.ID))
	}
	return rep
}

func newDiagnosis(f diagnosis.Finding) *diagnosisJSON {
	return &diagnosisJSON{Class: string(f.Class), Scope: string(f.Scope), Permanence: string(f.Permanence),
		Retry: string(f.Retry.Kind), RetryAfter: int64(f.Retry.After.Seconds()),
		Cause:  map[string]string{"en": f.Cause.EN, "zh": f.Cause.ZH},
		Advice: map[string]string{"en": f.Advice.EN, "zh": f.Advice.ZH}}
}

// printJSON writes one value as one line.
func (a *app) printJSON(v any) {
	enc := json.NewEncoder(a.Stdout)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // as outf
}
