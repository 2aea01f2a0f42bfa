package verdict

import (
	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
)

func newReport(r MessageReport) jsonout.SendReport {
	rep := jsonout.SendReport{File: r.Name, Number: r.Number, Status: "failed", Exit: r.Exit, Account: r.As.Account, Server: r.As.Server.String(), Provider: r.As.Server.Provider.ID,
		From: r.As.From.String(), MessageID: r.As.MessageID, ServerID: r.As.ServerID, Size: r.Result.Size}
	switch {
	case r.StoppedAfter != "":
		rep.Status = "stopped"
	case r.Exit == command.ExitOK:
		rep.Status = "sent"
	case r.Exit == command.ExitPartial:
		rep.Status = "partial"
	case r.Exit == command.ExitUnknown:
		rep.Status = "unknown"
	}
	for _, h := range r.InsteadOf {
		if h.Account == r.As.Account { // this account decided last
			continue
		}
		instead := jsonout.InsteadOf{Account: h.Account, Stage: string(h.Outcome.Stage), Code: h.Outcome.Reply.Code, Text: h.Outcome.Reply.Text()}
		if h.Outcome.Err != nil {
			instead.Error = h.Outcome.Err.Error()
		}
		rep.InsteadOf = append(rep.InsteadOf, instead)
	}
	for i, o := range r.Result.Recipients {
		rec := jsonout.SendRecipient{Logged: r.wasLogged(i), Address: o.Recipient.String(), Status: string(o.Status), Stage: string(o.Stage),
			Code: o.Reply.Code, Enhanced: o.Reply.Enhanced.String(), Text: o.Reply.Text()}
		if o.Err != nil {
			rec.Error = o.Err.Error()
		}
		if via := r.Via; via != nil && via[i] != nil {
			rec.Account, rec.From, rec.MessageID, rec.ServerID = via[i].Account, via[i].From.String(), via[i].MessageID, via[i].ServerID
		}
		rep.Recipients = append(rep.Recipients, rec)
	}
	if o, failed := r.Result.WorstOutcome(); failed && r.Exit != command.ExitOK {
		rep.Diagnosis = NewDiagnosis(yan.Explain(o, r.As.Server.Provider.ID).At(r.As.Server.Host, r.As.Server.Port))
	}
	return rep
}

// NewDiagnosis converts a finding to JSON.
func NewDiagnosis(f diagnosis.Finding) *jsonout.Diagnosis {
	return &jsonout.Diagnosis{Class: string(f.Class), Scope: string(f.Scope), Permanence: string(f.Permanence),
		Retry: string(f.Retry.Kind), RetryAfter: int64(f.Retry.After.Seconds()),
		Cause: jsonout.Bilingual(f.Cause), Hint: OptionalText(f.Hint), Advice: jsonout.Bilingual(f.Advice),
		Where: OptionalText(f.Where), HelpURLs: f.HelpURLs, Basis: string(f.Basis)}
}
