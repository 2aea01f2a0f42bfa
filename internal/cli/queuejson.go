package cli

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/smtp"
)

// entryJSON is a message in the outbox; of yan queue --json and show --json.
type entryJSON struct {
	ID         int64            `json:"id"`
	Account    string           `json:"account,omitempty"`
	Key        string           `json:"key,omitempty"`
	From       string           `json:"from"`
	MessageID  string           `json:"message_id,omitempty"`
	Subject    string           `json:"subject,omitempty"`
	Size       int64            `json:"size"`
	HasBody    bool             `json:"has_body"`
	Created    time.Time        `json:"created"`
	NotBefore  *time.Time       `json:"not_before,omitempty"`
	Expires    time.Time        `json:"expires"`
	Priority   string           `json:"priority"`
	Tags       []string         `json:"tags,omitempty"`
	ReportOn   int64            `json:"report_on,omitempty"`
	Final      bool             `json:"final"`
	Total      int              `json:"recipients_total"`
	Recipients []statusJSON     `json:"recipients"`
	Events     []queueEventJSON `json:"events,omitempty"`
}

// statusJSON is how it stands with a recipient.
type statusJSON struct {
	N        int        `json:"n"`
	Address  string     `json:"address"`
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	Due      *time.Time `json:"due,omitempty"`
	Doubted  bool       `json:"doubted,omitempty"`
	Worker   string     `json:"worker,omitempty"`
	Updated  time.Time  `json:"updated"`
	answerJSON
	Diagnosis *diagnosisJSON `json:"diagnosis,omitempty"`
}

// answerJSON is what decided about a recipient.
type answerJSON struct {
	Stage    string `json:"stage,omitempty"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
	Class    string `json:"class,omitempty"`
	ServerID string `json:"server_id,omitempty"`
}

// queueEventJSON is something that happened; of show, watch and run.
type queueEventJSON struct {
	Event   string     `json:"event"`
	ID      int64      `json:"id"`
	N       *int       `json:"n,omitempty"`
	Address string     `json:"address,omitempty"`
	Account string     `json:"account,omitempty"`
	State   string     `json:"state,omitempty"`
	At      time.Time  `json:"at"`
	Attempt int        `json:"attempt,omitempty"`
	Due     *time.Time `json:"due,omitempty"`
	answerJSON
	Diagnosis *diagnosisJSON `json:"diagnosis,omitempty"`
}

// changedJSON is what a change did.
type changedJSON struct {
	Verb       string `json:"verb"`
	Messages   int    `json:"messages"`
	Recipients int    `json:"recipients"`
	Untouched  int    `json:"untouched"`
	// Doubted says that a server may have the message already of a recipient that was
	// cancelled, or is sent to again.
	Doubted bool `json:"doubted"`
}

// resumedJSON is what yan queue resume did.
type resumedJSON struct {
	Accounts []string `json:"accounts"`
}

// enqueuedJSON is what yan send --queue --json prints of a message.
type enqueuedJSON struct {
	Event     string     `json:"event"` // "enqueued", "duplicate" or "uncertain"
	ID        int64      `json:"id,omitempty"`
	File      string     `json:"file,omitempty"`
	Number    int        `json:"number,omitempty"`
	Account   string     `json:"account"`
	From      string     `json:"from"`
	To        []string   `json:"to"`
	MessageID string     `json:"message_id,omitempty"`
	Size      int64      `json:"size"`
	Key       string     `json:"key,omitempty"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	Expires   time.Time  `json:"expires,omitzero"`
	Priority  string     `json:"priority"`
	Tags      []string   `json:"tags,omitempty"`
}

// drainedJSON is the last line of yan queue run --json.
type drainedJSON struct {
	Event string         `json:"event"` // "drained"
	Count map[string]int `json:"count"`
	Left  int            `json:"left"`
	Exit  int            `json:"exit"`
}

// queueStatsJSON is what yan queue stats prints.
type queueStatsJSON struct {
	Outbox   string            `json:"outbox"`
	Accounts []queueAccJSON    `json:"accounts"`
	Workers  []queueWorkerJSON `json:"workers"`
	Oldest   *time.Time        `json:"oldest,omitempty"`
	Bytes    int64             `json:"bytes,omitempty"`
	Free     *int64            `json:"free_bytes,omitempty"`
	Copied   bool              `json:"copied,omitempty"`
	Ahead    int64             `json:"ahead_seconds,omitempty"`
}

type queueAccJSON struct {
	Account       string         `json:"account"`
	Count         map[string]int `json:"count"`
	PausedSeconds int64          `json:"paused_seconds,omitempty"`
	answerJSON
}

type queueWorkerJSON struct {
	Host         string    `json:"host"`
	PID          int       `json:"pid"`
	Since        time.Time `json:"since"`
	LeaseSeconds int64     `json:"lease_seconds"`
}

// prunedJSON is what yan queue prune did.
type prunedJSON struct {
	Bodies   int   `json:"bodies"`
	Messages int   `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

func newAnswer(ans outbox.Answer) answerJSON {
	return answerJSON{Stage: string(ans.Stage), Code: ans.Reply.Code, Enhanced: ans.Reply.Enhanced.String(), Text: ans.Reply.Text(),
		Error: ans.Err, Class: ans.Class, ServerID: ans.ServerID}
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// newEntry is a message in JSON. provider explains the answers, where explain is set.
func newEntry(e outbox.Entry, provider string, explain bool) entryJSON {
	j := entryJSON{ID: int64(e.ID), Account: e.Account, Key: e.Key, From: e.From.String(), MessageID: e.MessageID, Subject: e.Subject,
		Size: e.Size, HasBody: e.HasBody, Created: e.Created.UTC(), NotBefore: optionalTime(e.NotBefore), Expires: e.Expires.UTC(),
		Priority: priorityWord(e.Priority), Tags: e.Tags, ReportOn: int64(e.ReportOn), Final: allFinal(e), Total: e.Total, Recipients: []statusJSON{}}
	for _, s := range e.Recipients {
		status := statusJSON{N: s.N, Address: s.Address.String(), State: string(s.State), Attempts: s.Attempts, Doubted: s.Doubted,
			Worker: s.Worker, Updated: s.Updated.UTC(), answerJSON: newAnswer(s.Answer)}
		if s.State.Waiting() {
			status.Due = optionalTime(s.Due)
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

func diagnosisOf(s outbox.State, ans outbox.Answer, provider string) *diagnosisJSON {
	f, ok := meaning(s, ans, provider)
	if !ok {
		return nil
	}
	return newDiagnosis(f)
}

func newQueueEvent(e outbox.Event, provider string, explain bool) queueEventJSON {
	j := queueEventJSON{Event: string(e.Kind), ID: int64(e.ID), Account: e.Account, State: string(e.State), At: e.At.UTC(), Attempt: e.Attempt,
		Due: optionalTime(e.Due), answerJSON: newAnswer(e.Answer)}
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

func allFinal(e outbox.Entry) bool {
	for _, s := range e.Recipients {
		if !s.State.Final() {
			return false
		}
	}
	return true
}

// priorities are the words of --priority.
func priorityWords() []string { return []string{"high", "normal", "low"} }

func priorityWord(p outbox.Priority) string {
	switch {
	case p > 0:
		return "high"
	case p < 0:
		return "low"
	}
	return "normal"
}

func priorityOf(word string) (p outbox.Priority, ok bool) {
	for _, p := range outbox.Priorities() {
		if priorityWord(p) == word {
			return p, true
		}
	}
	return outbox.Normal, false
}
