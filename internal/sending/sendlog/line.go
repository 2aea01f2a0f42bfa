package sendlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yanmail/yan/smtp"
)

// version is the version of the file format. Fields may be added without changing it, unless old
// readers would misunderstand them.
const version = 1

// The events.
const (
	eventLog     = "log"
	eventAttempt = "attempt"
	eventOutcome = "outcome"
	eventBad     = "bad"
)

// Line is one line of the file. docs/json.md describes it.
type Line struct {
	Event string `json:"event"`
	// Version is in the first line only.
	Version int       `json:"version,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	// SHA256 is the hash of the octets as they are sent.
	SHA256     Hash            `json:"sha256,omitzero"`
	File       string          `json:"file,omitempty"`
	Number     int             `json:"number,omitempty"`
	From       string          `json:"from,omitempty"`
	MessageID  string          `json:"message_id,omitempty"`
	ServerID   string          `json:"server_id,omitempty"`
	Recipients []LineRecipient `json:"recipients,omitempty"`
	// Date, in an attempt, is the date added to a message without one.
	Date time.Time `json:"date,omitzero"`
	// Error is the problem of a message that was skipped.
	Error string `json:"error,omitempty"`
}

// LineRecipient is a recipient of a message. In an attempt it has no status.
type LineRecipient struct {
	Address string `json:"address"`
	// Copy distinguishes messages of the same octets to the same recipient: 2 is the second. It is
	// omitted for the first.
	Copy     int    `json:"copy,omitempty"`
	Status   string `json:"status,omitempty"`
	Stage    string `json:"stage,omitempty"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Hash is the SHA-256 of a message.
type Hash [sha256.Size]byte

// IsZero reports whether there is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText returns the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText parses a hash in hexadecimal.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(h)) {
		return errors.New("not a SHA-256 in hexadecimal")
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// encode writes l as a line of the file.
func (l Line) encode(b *bytes.Buffer) error {
	to := json.NewEncoder(b)
	to.SetEscapeHTML(false) // so that a Message-ID can be searched for as it is
	if err := to.Encode(l); err != nil {
		return fmt.Errorf("a line for the log: %w", err)
	}
	return nil
}

// decodeLine parses a line other than the first.
func decodeLine(b []byte) (Line, error) {
	var l Line
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	switch {
	case l.Event == eventBad:
		return l, nil
	case l.Event != eventAttempt && l.Event != eventOutcome:
		return l, fmt.Errorf("event %q", l.Event)
	case l.SHA256.IsZero():
		return l, errors.New("no sha256")
	case len(l.Recipients) == 0:
		return l, errors.New("no recipients")
	}
	for _, r := range l.Recipients {
		if err := r.check(l.Event == eventOutcome); err != nil {
			return l, err
		}
	}
	return l, nil
}

// check returns an error for an invalid recipient of an outcome or an attempt.
func (r LineRecipient) check(outcome bool) error {
	switch {
	case r.Address == "":
		return errors.New("a recipient without an address")
	case r.Copy < 0:
		return fmt.Errorf("copy %d", r.Copy)
	case outcome && !slices.Contains(smtp.Statuses(), smtp.Status(r.Status)):
		return fmt.Errorf("status %q", r.Status)
	}
	return nil
}

// outcome converts r to an outcome, without the recipient.
func (r LineRecipient) outcome() smtp.Outcome {
	o := smtp.Outcome{Status: smtp.Status(r.Status), Stage: smtp.Stage(r.Stage)}
	if r.Code != 0 {
		enhanced, _, _ := smtp.CutEnhancedCode(r.Enhanced) // there may be none
		o.Reply = smtp.Reply{Code: r.Code, Enhanced: enhanced, Lines: []string{r.Text}}
	}
	if r.Error != "" {
		o.Err = errorOf(r.Error)
	}
	return o
}

// errorOf returns an error with the text. It returns the original for errors that callers compare.
func errorOf(text string) error {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded} {
		if known.Error() == text {
			return known
		}
	}
	return errors.New(text)
}

// recipientOf converts an outcome for the file.
func recipientOf(o smtp.Outcome) LineRecipient {
	r := LineRecipient{Address: o.Recipient.String(), Status: string(o.Status), Stage: string(o.Stage),
		Code: o.Reply.Code, Enhanced: o.Reply.Enhanced.String(), Text: o.Reply.Text()}
	if o.Err != nil {
		r.Error = o.Err.Error()
	}
	return r
}
