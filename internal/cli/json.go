package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
)

// docs/json.md describes everything that is printed as JSON. Fields are
// added, never renamed or removed, and no language changes them.

// reportJSON is what --json prints of one message.
type reportJSON struct {
	File       string          `json:"file,omitempty"`
	Number     int             `json:"number,omitempty"`
	Status     string          `json:"status"` // "sent", "partial", "unknown", "failed" or "stopped"
	Exit       int             `json:"exit"`
	Account    string          `json:"account,omitempty"`
	Server     string          `json:"server"`
	Provider   string          `json:"provider,omitempty"`
	From       string          `json:"from"`
	MessageID  string          `json:"message_id,omitempty"`
	ServerID   string          `json:"server_id,omitempty"`
	Size       int64           `json:"size"`
	Recipients []recipientJSON `json:"recipients"`
	InsteadOf  []insteadOfJSON `json:"instead_of,omitempty"`
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
	Logged   bool   `json:"logged,omitempty"`
	// What follows is there for who was served, or refused, before another account
	// took over for the others.
	Account   string `json:"account,omitempty"`
	From      string `json:"from,omitempty"`
	MessageID string `json:"message_id,omitempty"`
	ServerID  string `json:"server_id,omitempty"`
}

// insteadOfJSON is an account that another one took over for, and why.
type insteadOfJSON struct {
	Account string `json:"account"`
	Stage   string `json:"stage"`
	Code    int    `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Error   string `json:"error,omitempty"`
}

// diagnosisJSON is what yan explain prints, too.
type diagnosisJSON struct {
	Class      string    `json:"class"`
	Scope      string    `json:"scope"`
	Permanence string    `json:"permanence"`
	Retry      string    `json:"retry"`
	RetryAfter int64     `json:"retry_after_seconds,omitempty"`
	Cause      textJSON  `json:"cause"`
	Hint       *textJSON `json:"hint,omitempty"`
	Advice     textJSON  `json:"advice"`
	Where      *textJSON `json:"where,omitempty"`
	HelpURLs   []string  `json:"help_urls,omitempty"`
	Basis      string    `json:"basis"`
}

type textJSON struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

func newReport(r report) reportJSON {
	rep := reportJSON{File: r.name, Number: r.number, Status: "failed", Exit: r.exit, Account: r.as.account, Server: r.as.server.String(), Provider: r.as.server.Provider.ID,
		From: r.as.from.String(), MessageID: r.as.messageID, ServerID: r.as.serverID, Size: r.result.Size}
	switch {
	case r.stoppedAfter != "":
		rep.Status = "stopped"
	case r.exit == exitOK:
		rep.Status = "sent"
	case r.exit == exitPartial:
		rep.Status = "partial"
	case r.exit == exitUnknown:
		rep.Status = "unknown"
	}
	for _, h := range r.insteadOf {
		if h.account == r.as.account { // the last word is its own
			continue
		}
		instead := insteadOfJSON{Account: h.account, Stage: string(h.outcome.Stage), Code: h.outcome.Reply.Code, Text: h.outcome.Reply.Text()}
		if h.outcome.Err != nil {
			instead.Error = h.outcome.Err.Error()
		}
		rep.InsteadOf = append(rep.InsteadOf, instead)
	}
	for i, o := range r.result.Recipients {
		rec := recipientJSON{Logged: r.logged(i), Address: o.Recipient.String(), Status: string(o.Status), Stage: string(o.Stage),
			Code: o.Reply.Code, Enhanced: o.Reply.Enhanced.String(), Text: o.Reply.Text()}
		if o.Err != nil {
			rec.Error = o.Err.Error()
		}
		if via := r.via; via != nil && via[i] != nil {
			rec.Account, rec.From, rec.MessageID, rec.ServerID = via[i].account, via[i].from.String(), via[i].messageID, via[i].serverID
		}
		rep.Recipients = append(rep.Recipients, rec)
	}
	if o, failed := r.result.Decisive(); failed && r.exit != exitOK {
		rep.Diagnosis = newDiagnosis(yan.Explain(o, r.as.server.Provider.ID).At(r.as.server.Host, r.as.server.Port))
	}
	return rep
}

func newDiagnosis(f diagnosis.Finding) *diagnosisJSON {
	return &diagnosisJSON{Class: string(f.Class), Scope: string(f.Scope), Permanence: string(f.Permanence),
		Retry: string(f.Retry.Kind), RetryAfter: int64(f.Retry.After.Seconds()),
		Cause: textJSON(f.Cause), Hint: optionalText(f.Hint), Advice: textJSON(f.Advice),
		Where: optionalText(f.Where), HelpURLs: f.HelpURLs, Basis: string(f.Basis)}
}

func optionalText(t diagnosis.Text) *textJSON {
	if t.EN == "" && t.ZH == "" {
		return nil
	}
	j := textJSON(t)
	return &j
}

// printJSON writes one value as one line.
func (a *app) printJSON(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)                         // plain structures, which always can be
	_, _ = a.Stdout.Write(escaped(b.Bytes())) // what can't be written is known at the end
}

// escaped writes as \u00NN what JSON leaves as it is and a terminal obeys: controls
// beyond ASCII, and marks that turn a line around. They stand in strings alone.
func escaped(text []byte) []byte {
	odd := func(r rune) bool { return r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) }
	if bytes.IndexFunc(text, odd) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if odd(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}
