package jsonout

import (
	"time"
)

// DryRun is the output of --dry-run.
type DryRun struct {
	DryRun bool     `json:"dry_run"`
	File   string   `json:"file,omitempty"`
	Number int      `json:"number,omitempty"`
	From   string   `json:"from"`
	To     []string `json:"to"`
	Size   int64    `json:"size"`
	// Message is the message; if it is not UTF-8, Base64 has its octets.
	Message string `json:"message,omitempty"`
	Base64  []byte `json:"message_base64,omitempty"`
}

// SendReport is the output for one message.
type SendReport struct {
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
	Recipients []SendRecipient `json:"recipients"`
	InsteadOf  []InsteadOf     `json:"instead_of,omitempty"`
	Diagnosis  *Diagnosis      `json:"diagnosis,omitempty"`
}

// SendRecipient is the outcome for a recipient.
type SendRecipient struct {
	Address  string `json:"address"`
	Status   string `json:"status"`
	Stage    string `json:"stage"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
	Logged   bool   `json:"logged,omitempty"`
	// These fields are set for recipients that an account accepted or refused
	// before its fallback took over the others.
	Account   string `json:"account,omitempty"`
	From      string `json:"from,omitempty"`
	MessageID string `json:"message_id,omitempty"`
	ServerID  string `json:"server_id,omitempty"`
}

// InsteadOf is an account that was replaced by its fallback, and why.
type InsteadOf struct {
	Account string `json:"account"`
	Stage   string `json:"stage"`
	Code    int    `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Enqueued is the output of yan send --queue for a message.
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

// Bad is the output for a message that --skip-bad leaves out.
type Bad struct {
	File   string `json:"file,omitempty"`
	Number int    `json:"number,omitempty"`
	Status string `json:"status"`
	Exit   int    `json:"exit"`
	Error  string `json:"error"`
}

// SentCopy reports whether a copy was saved in the Sent folder.
type SentCopy struct {
	Event     string `json:"event"` // "sent_copy"
	File      string `json:"file,omitempty"`
	Number    int    `json:"number,omitempty"`
	Account   string `json:"account"`
	MessageID string `json:"message_id,omitempty"`
	Folder    string `json:"folder,omitempty"`
	Error     string `json:"error,omitempty"`
}
