package diagnosis

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Text is a text in the two languages.
type Text = provider.Text

// Fact is the known data about a failure. Every field may be empty.
type Fact struct {
	Stage smtp.Stage
	// Reply is the server's reply; zero without one.
	Reply smtp.Reply
	// Err is the error on this side. A *[smtp.Error] in it supplies stage and reply if those are
	// empty.
	Err error
	// Provider is an ID of package provider; "" if unknown.
	Provider string
	// Status is the recipient's status, if it is known. Without it a connection lost at the body
	// counts as [smtp.Unknown].
	Status smtp.Status
}

// FromOutcome returns the fact of one recipient's outcome.
func FromOutcome(o smtp.Outcome, providerID string) Fact {
	return Fact{Stage: o.Stage, Reply: o.Reply, Err: o.Err, Provider: providerID, Status: o.Status}
}

// FromError returns the fact of a failed connection or login: an error that contains an
// *[smtp.Error].
func FromError(err error, providerID string) Fact {
	return Fact{Err: err, Provider: providerID}.fillIn()
}

// fillIn copies stage, reply and cause from an smtp.Error.
func (f Fact) fillIn() Fact {
	var at *smtp.Error
	if !errors.As(f.Err, &at) {
		return f
	}
	if f.Stage == "" {
		f.Stage = at.Stage
	}
	if f.Reply.IsZero() {
		f.Reply = at.Reply
	}
	return f
}

// Finding is the explanation of a failure.
type Finding struct {
	Class      Class      `json:"class"`
	Scope      Scope      `json:"scope"`
	Permanence Permanence `json:"permanence"`
	Retry      Retry      `json:"retry"`
	// Cause is the event and Advice the next step, for every failure of the class.
	Cause  Text `json:"cause"`
	Advice Text `json:"advice"`
	// Hint is specific to this reply; empty if there is none.
	Hint Text `json:"hint,omitzero"`
	// Where is the way through the provider's menus to the authorization code, for failures of
	// the login; HelpURLs are pages to read.
	Where    Text     `json:"where,omitzero"`
	HelpURLs []string `json:"help_urls,omitempty"`
	// Basis is the reason for the finding.
	Basis Basis `json:"basis"`
	// Row is the ID of the matching row of replies.yaml: "3b.12"; "" if none matched.
	Row string `json:"row,omitempty"`
}

// Scope says which other attempts will fail in the same way.
type Scope string

// The scopes.
const (
	ScopeConnection Scope = "connection" // this connection or the path to this server
	ScopeAccount    Scope = "account"    // everything this account sends
	ScopeMessage    Scope = "message"    // this message, to any recipient
	ScopeRecipient  Scope = "recipient"  // this recipient
)

// Scopes lists all scopes.
func Scopes() []Scope {
	return []Scope{ScopeConnection, ScopeAccount, ScopeMessage, ScopeRecipient}
}

// Permanence says whether the same attempt may succeed later.
type Permanence string

// The permanences.
const (
	Temporary Permanence = "temporary" // it may
	Permanent Permanence = "permanent" // not until something is changed
	// UnknownPermanence: it is unknown, or it is not even known whether the attempt failed.
	UnknownPermanence Permanence = "unknown"
	// AcceptedAlready: the message was accepted.
	AcceptedAlready Permanence = "accepted"
)

// RetryKind is the automatic reaction to a failure.
type RetryKind string

// The kinds.
const (
	RetryNever     RetryKind = "never"     // the same octets will fail again
	RetryAfterFix  RetryKind = "after_fix" // once, after the user has changed something
	RetryDelay     RetryKind = "delay"     // not before Retry.After, even after a 5xx
	RetryTransient RetryKind = "transient" // with the usual growing pauses
	RetryReconnect RetryKind = "reconnect" // once, at once, on a new connection
	RetrySplit     RetryKind = "split"     // in parts with fewer recipients
	RetryAccepted  RetryKind = "accepted"  // never: the message was taken
)

// RetryKinds lists all kinds.
func RetryKinds() []RetryKind {
	return []RetryKind{RetryNever, RetryAfterFix, RetryDelay, RetryTransient, RetryReconnect, RetrySplit, RetryAccepted}
}

// Retry says whether and when to try again.
type Retry struct {
	Kind RetryKind
	// After is the minimum pause; 0 unless Kind is [RetryDelay].
	After time.Duration
}

// String returns "delay 1h0m0s" or the kind alone.
func (r Retry) String() string {
	if r.After == 0 {
		return string(r.Kind)
	}
	return fmt.Sprintf("%s %s", r.Kind, r.After)
}

// retryJSON is the JSON form of a Retry.
type retryJSON struct {
	Kind         RetryKind `json:"kind"`
	AfterSeconds int64     `json:"after_seconds,omitempty"`
}

// MarshalJSON encodes {"kind":"delay","after_seconds":3600}.
func (r Retry) MarshalJSON() ([]byte, error) {
	return json.Marshal(retryJSON{r.Kind, int64(r.After / time.Second)})
}

// UnmarshalJSON decodes the result of MarshalJSON.
func (r *Retry) UnmarshalJSON(b []byte) error {
	var raw retryJSON
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = Retry{raw.Kind, time.Duration(raw.AfterSeconds) * time.Second}
	return nil
}

// Basis is the reason for a finding, the most reliable first.
type Basis string

// The bases.
const (
	BasisStage    Basis = "stage"    // the stage alone decides
	BasisProvider Basis = "provider" // a row of this provider
	BasisText     Basis = "text"     // a row of another server with the same text
	BasisError    Basis = "error"    // an error on this side
	BasisEnhanced Basis = "enhanced" // the enhanced code
	BasisCode     Basis = "code"     // code and stage only: a likely guess
	BasisNothing  Basis = "nothing"
)
