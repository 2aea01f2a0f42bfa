package jsonout

import "time"

// TokenRules is what a token allows.
type TokenRules struct {
	Name          string    `json:"name"`
	Account       string    `json:"account"`
	From          []string  `json:"from,omitempty"`
	PerHour       int       `json:"per_hour,omitempty"`
	MaxRecipients int       `json:"max_rcpt,omitempty"`
	Created       time.Time `json:"created"`
}

// TokenCreated is the output of yan token new.
type TokenCreated struct {
	Event string `json:"event"` // "token"
	TokenRules
	Token string `json:"token"`
}

// TokenRemoved is the output of yan token remove.
type TokenRemoved struct {
	Event string `json:"event"` // "removed"
	Name  string `json:"name"`
}
