package jsonout

import (
	"time"
)

// DryRun is what --dry-run prints with --json.
type DryRun struct {
	DryRun bool     `json:"dry_run"`
	File   string   `json:"file,omitempty"`
	Number int      `json:"number,omitempty"`
	From   string   `json:"from"`
	To     []string `json:"to"`
	Size   int64    `json:"size"`
	// Message is the message; where it is not UTF-8, Base64 has its octets.
	Message string `json:"message,omitempty"`
	Base64  []byte `json:"message_base64,omitempty"`
}

// docs/json.md describes everything that is printed as JSON. Fields are
// added, never renamed or removed, and no language changes them.

// Report is what --json prints of one message.
type Report struct {
	File       string      `json:"file,omitempty"`
	Number     int         `json:"number,omitempty"`
	Status     string      `json:"status"` // "sent", "partial", "unknown", "failed" or "stopped"
	Exit       int         `json:"exit"`
	Account    string      `json:"account,omitempty"`
	Server     string      `json:"server"`
	Provider   string      `json:"provider,omitempty"`
	From       string      `json:"from"`
	MessageID  string      `json:"message_id,omitempty"`
	ServerID   string      `json:"server_id,omitempty"`
	Size       int64       `json:"size"`
	Recipients []Recipient `json:"recipients"`
	InsteadOf  []InsteadOf `json:"instead_of,omitempty"`
	Diagnosis  *Diagnosis  `json:"diagnosis,omitempty"`
}

// Recipient is the outcome for a recipient.
type Recipient struct {
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

// InsteadOf is an account that another one took over for, and why.
type InsteadOf struct {
	Account string `json:"account"`
	Stage   string `json:"stage"`
	Code    int    `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Enqueued is what yan send --queue --json prints of a message.
type Enqueued struct {
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

// Bad is what --json prints for a message that --skip-bad leaves out.
type Bad struct {
	File   string `json:"file,omitempty"`
	Number int    `json:"number,omitempty"`
	Status string `json:"status"`
	Exit   int    `json:"exit"`
	Error  string `json:"error"`
}

// SentCopy is what --json prints when a copy was saved, or was not.
type SentCopy struct {
	Event     string `json:"event"` // "sent_copy"
	File      string `json:"file,omitempty"`
	Number    int    `json:"number,omitempty"`
	Account   string `json:"account"`
	MessageID string `json:"message_id,omitempty"`
	Folder    string `json:"folder,omitempty"`
	Error     string `json:"error,omitempty"`
}
