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

// Fact is what is known about a failure. Every field may be empty.
type Fact struct {
	Stage smtp.Stage
	// Reply is the server's; zero when it said nothing.
	Reply smtp.Reply
	// Err is what happened on this side. A *[smtp.Error] in it fills in the
	// stage and the reply where those are empty.
	Err error
	// Provider is an ID of package provider; "" when it is not known.
	Provider string
	// Status is what became of the recipient, if that is known. Without it a
	// connection lost at the body counts as [smtp.Unknown].
	Status smtp.Status
}

// FromOutcome is the fact of one recipient's outcome.
func FromOutcome(o smtp.Outcome, providerID string) Fact {
	return Fact{Stage: o.Stage, Reply: o.Reply, Err: o.Err, Provider: providerID, Status: o.Status}
}

// FromError is the fact of a failed connection or login: an error that holds
// an *[smtp.Error].
func FromError(err error, providerID string) Fact {
	return Fact{Err: err, Provider: providerID}.complete()
}

// complete takes stage, reply and cause out of an smtp.Error.
func (f Fact) complete() Fact {
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

// Finding is what a failure means.
type Finding struct {
	Class      Class      `json:"class"`
	Scope      Scope      `json:"scope"`
	Permanence Permanence `json:"permanence"`
	Retry      Retry      `json:"retry"`
	// Cause says what happened and Advice what to do, for every failure of
	// the class.
	Cause  Text `json:"cause"`
	Advice Text `json:"advice"`
	// Hint is what is known about this very reply; empty when nothing is.
	Hint Text `json:"hint,omitzero"`
	// Where is the way through the provider's menus to the authorization code,
	// for failures of the login; HelpURLs are pages to read.
	Where    Text     `json:"where,omitzero"`
	HelpURLs []string `json:"help_urls,omitempty"`
	// Basis says what the finding rests on.
	Basis Basis `json:"basis"`
	// Row is the ID of the row of replies.yaml that fitted: "3b.12"; "" when
	// none did.
	Row string `json:"row,omitempty"`
}

// Scope is what a failure is about: what else will fail in the same way.
type Scope string

// The scopes.
const (
	ScopeConnection Scope = "connection" // this connection or the way to this server
	ScopeAccount    Scope = "account"    // everything this account sends
	ScopeMessage    Scope = "message"    // this message, to anybody
	ScopeRecipient  Scope = "recipient"  // this recipient
)

// Scopes lists all of them.
func Scopes() []Scope {
	return []Scope{ScopeConnection, ScopeAccount, ScopeMessage, ScopeRecipient}
}

// Permanence is whether the same try may succeed later.
type Permanence string

// The permanences.
const (
	Temporary Permanence = "temporary" // it may
	Permanent Permanence = "permanent" // not until something is changed
	// UnknownPermanence: nobody can say, or it is not known whether the try
	// failed at all.
	UnknownPermanence Permanence = "unknown"
	// AcceptedAlready: nothing failed that matters.
	AcceptedAlready Permanence = "accepted"
)

// RetryKind is what to do about a failure without asking anybody.
type RetryKind string

// The kinds.
const (
	RetryNever     RetryKind = "never"     // the same bytes will fail again
	RetryAfterFix  RetryKind = "after_fix" // once, after the user has changed something
	RetryDelay     RetryKind = "delay"     // not before Retry.After, even after a 5xx
	RetryTransient RetryKind = "transient" // with the usual growing pauses
	RetryReconnect RetryKind = "reconnect" // once, at once, on a new connection
	RetrySplit     RetryKind = "split"     // in parts with fewer recipients
	RetryAccepted  RetryKind = "accepted"  // never: the message was taken
)

// RetryKinds lists all of them.
func RetryKinds() []RetryKind {
	return []RetryKind{RetryNever, RetryAfterFix, RetryDelay, RetryTransient, RetryReconnect, RetrySplit, RetryAccepted}
}

// Retry is whether and when to try again.
type Retry struct {
	Kind RetryKind
	// After is the least pause; 0 unless Kind is [RetryDelay].
	After time.Duration
}

// String is "delay 1h0m0s" or the kind alone.
func (r Retry) String() string {
	if r.After == 0 {
		return string(r.Kind)
	}
	return fmt.Sprintf("%s %s", r.Kind, r.After)
}

// retryJSON is the form of a Retry in JSON.
type retryJSON struct {
	Kind         RetryKind `json:"kind"`
	AfterSeconds int64     `json:"after_seconds,omitempty"`
}

// MarshalJSON writes {"kind":"delay","after_seconds":3600}.
func (r Retry) MarshalJSON() ([]byte, error) {
	return json.Marshal(retryJSON{r.Kind, int64(r.After / time.Second)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Retry) UnmarshalJSON(b []byte) error {
	var raw retryJSON
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = Retry{raw.Kind, time.Duration(raw.AfterSeconds) * time.Second}
	return nil
}

// Basis is what a finding rests on, the firmest first.
type Basis string

// The bases.
const (
	BasisStage    Basis = "stage"    // where it happened decides alone
	BasisProvider Basis = "provider" // a row of this provider
	BasisText     Basis = "text"     // a row of another server with the same words
	BasisError    Basis = "error"    // an error on this side
	BasisEnhanced Basis = "enhanced" // the enhanced code
	BasisCode     Basis = "code"     // code and stage only: a likely guess
	BasisNothing  Basis = "nothing"
)
