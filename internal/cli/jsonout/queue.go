package jsonout

import (
	"time"
)

// QueueAdopted is the output of yan queue adopt.
type QueueAdopted struct {
	Adopted bool `json:"adopted"`
	InDoubt int  `json:"in_doubt"`
}

// QueueEntry is a message in the outbox, in yan queue and queue show.
type QueueEntry struct {
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
	Recipients []RecipientState `json:"recipients"`
	Events     []QueueEvent     `json:"events,omitempty"`
}

// RecipientState is the state of a recipient.
type RecipientState struct {
	N        int        `json:"n"`
	Address  string     `json:"address"`
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	Due      *time.Time `json:"due,omitempty"`
	Doubted  bool       `json:"doubted,omitempty"`
	Worker   string     `json:"worker,omitempty"`
	Updated  time.Time  `json:"updated"`
	RecipientAnswer
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
}

// RecipientAnswer is the reply or error that decided about a recipient.
type RecipientAnswer struct {
	Stage    string `json:"stage,omitempty"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
	Class    string `json:"class,omitempty"`
	ServerID string `json:"server_id,omitempty"`
}

// QueueEvent is an event in the outbox, in queue show, watch and run.
type QueueEvent struct {
	Event   string     `json:"event"`
	ID      int64      `json:"id"`
	N       *int       `json:"n,omitempty"`
	Address string     `json:"address,omitempty"`
	Account string     `json:"account,omitempty"`
	State   string     `json:"state,omitempty"`
	At      time.Time  `json:"at"`
	Attempt int        `json:"attempt,omitempty"`
	Due     *time.Time `json:"due,omitempty"`
	RecipientAnswer
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
}

// QueueChanged is the result of a change.
type QueueChanged struct {
	Verb       string `json:"verb"`
	Messages   int    `json:"messages"`
	Recipients int    `json:"recipients"`
	Untouched  int    `json:"untouched"`
	// Doubted reports that a server may already have the message for a
	// recipient that was cancelled, or is sent to again.
	Doubted bool `json:"doubted"`
}

// Resumed is the output of yan queue resume.
type Resumed struct {
	Accounts []string `json:"accounts"`
}

// QueueDrained is the last line of yan queue run --json.
type QueueDrained struct {
	Event string         `json:"event"` // "drained"
	Count map[string]int `json:"count"`
	Left  int            `json:"left"`
	Exit  int            `json:"exit"`
}

// QueueStats is the output of yan queue stats.
type QueueStats struct {
	Outbox   string         `json:"outbox"`
	Accounts []QueueAccount `json:"accounts"`
	Workers  []QueueWorker  `json:"workers"`
	Oldest   *time.Time     `json:"oldest,omitempty"`
	Bytes    int64          `json:"bytes,omitempty"`
	Free     *int64         `json:"free_bytes,omitempty"`
	Copied   bool           `json:"copied,omitempty"`
	Ahead    int64          `json:"ahead_seconds,omitempty"`
}

// QueueAccount counts the recipients of an account.
type QueueAccount struct {
	Account       string         `json:"account"`
	Count         map[string]int `json:"count"`
	PausedSeconds int64          `json:"paused_seconds,omitempty"`
	RecipientAnswer
}

// QueueWorker is a process that sends from the outbox.
type QueueWorker struct {
	Host         string    `json:"host"`
	PID          int       `json:"pid"`
	Since        time.Time `json:"since"`
	LeaseSeconds int64     `json:"lease_seconds"`
}

// QueuePruned is the output of yan queue prune.
type QueuePruned struct {
	Bodies   int   `json:"bodies"`
	Messages int   `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

// MailqEntry is a line of yan sendmail -bp --json: a message that is not finished.
type MailqEntry struct {
	ID         int64            `json:"id"`
	Created    time.Time        `json:"created"`
	Size       int64            `json:"size"`
	From       string           `json:"from"`
	Recipients []MailqRecipient `json:"recipients"`
	Left       int              `json:"recipients_left"`
}

// MailqRecipient is a recipient that is not finished.
type MailqRecipient struct {
	Address string     `json:"address"`
	State   string     `json:"state"`
	Due     *time.Time `json:"due,omitempty"`
	Reason  string     `json:"reason,omitempty"`
}
