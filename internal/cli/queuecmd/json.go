package queuecmd

import (
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func newAnswer(ans queue.Answer) jsonout.RecipientAnswer {
	return jsonout.RecipientAnswer{Stage: string(ans.Stage), Code: ans.Reply.Code, Enhanced: ans.Reply.Enhanced.String(), Text: ans.Reply.Text(),
		Error: ans.Err, Class: ans.Class, ServerID: ans.ServerID}
}

// newEntry returns a message as JSON. If explain is set, it explains the answers as replies of
// provider.
func newEntry(e queue.Entry, provider string, explain bool) jsonout.QueueEntry {
	j := jsonout.QueueEntry{ID: int64(e.ID), Account: e.Account, Key: e.Key, From: e.From.String(), MessageID: e.MessageID, Subject: e.Subject,
		Size: e.Size, HasBody: e.HasBody, Created: e.Created.UTC(), NotBefore: jsonout.OptionalTime(e.NotBefore), Expires: e.Expires.UTC(),
		Priority: e.Priority.Word(), Tags: e.Tags, ReportOn: int64(e.ReportOn), Final: allFinal(e), Total: e.Total, Recipients: []jsonout.RecipientState{}}
	for _, s := range e.Recipients {
		status := jsonout.RecipientState{N: s.N, Address: s.Address.String(), State: string(s.State), Attempts: s.Attempts, Doubted: s.Doubted,
			Worker: s.Worker, Updated: s.Updated.UTC(), RecipientAnswer: newAnswer(s.Answer)}
		if s.State.Waiting() {
			status.Due = jsonout.OptionalTime(s.Due)
		}
		if explain {
			status.Diagnosis = diagnosisOf(s.State, s.Answer, provider)
		}
		j.Recipients = append(j.Recipients, status)
	}
	for _, e := range e.Events {
		j.Events = append(j.Events, newQueueEvent(e, provider, explain))
	}
	return j
}

func diagnosisOf(s queue.State, ans queue.Answer, provider string) *jsonout.Diagnosis {
	f, ok := explainedFinding(s, ans, provider)
	if !ok {
		return nil
	}
	return verdict.NewDiagnosis(f)
}

func newQueueEvent(e queue.Event, provider string, explain bool) jsonout.QueueEvent {
	j := jsonout.QueueEvent{Event: string(e.Kind), ID: int64(e.ID), Account: e.Account, State: string(e.State), At: e.At.UTC(), Attempt: e.Attempt,
		Due: jsonout.OptionalTime(e.Due), RecipientAnswer: newAnswer(e.Answer)}
	if e.N >= 0 {
		j.N, j.Address = &e.N, e.Address.String()
	}
	if e.Address == (smtp.Address{}) {
		j.Address = ""
	}
	if explain {
		j.Diagnosis = diagnosisOf(e.State, e.Answer, provider)
	}
	return j
}

func allFinal(e queue.Entry) bool {
	for _, s := range e.Recipients {
		if !s.State.Final() {
			return false
		}
	}
	return true
}
