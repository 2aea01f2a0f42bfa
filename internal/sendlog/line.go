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

// version is that of the file. Fields may be added to it; a reader that would
// misunderstand them needs another.
const version = 1

// Events of a line.
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
	// SHA256 is that of the octets as they are sent.
	SHA256     Hash        `json:"sha256,omitzero"`
	File       string      `json:"file,omitempty"`
	Number     int         `json:"number,omitempty"`
	From       string      `json:"from,omitempty"`
	MessageID  string      `json:"message_id,omitempty"`
	ServerID   string      `json:"server_id,omitempty"`
	Recipients []Recipient `json:"recipients,omitempty"`
	// Date is that which a message without one was given, in an attempt.
	Date time.Time `json:"date,omitzero"`
	// Error is what is wrong with a message that was left out.
	Error string `json:"error,omitempty"`
}

// Recipient is one of a message. An attempt has no status.
type Recipient struct {
	Address string `json:"address"`
	// Copy tells several messages of the same octets to the same recipient
	// apart: 2 is the second of them, and it is left out for the first.
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

// IsZero reports whether there is none.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText writes it in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(h)) {
		return errors.New("not a SHA-256 in hexadecimal")
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// encode writes a line of the file.
func (l Line) encode(b *bytes.Buffer) error {
	to := json.NewEncoder(b)
	to.SetEscapeHTML(false) // a Message-ID is to be found as it is
	if err := to.Encode(l); err != nil {
		return fmt.Errorf("a line for the log: %w", err)
	}
	return nil
}

// decode reads a line that is not the first.
func decode(b []byte) (Line, error) {
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

// check finds what can't be of a recipient in an outcome or an attempt.
func (r Recipient) check(outcome bool) error {
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

// outcome is what the file has as an outcome, without the recipient.
func (r Recipient) outcome() smtp.Outcome {
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

// errorOf gives back what was written, and of the errors that callers know by
// their identity that.
func errorOf(text string) error {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded} {
		if known.Error() == text {
			return known
		}
	}
	return errors.New(text)
}

// recipientOf is what an outcome is in the file.
func recipientOf(o smtp.Outcome) Recipient {
	r := Recipient{Address: o.Recipient.String(), Status: string(o.Status), Stage: string(o.Stage),
		Code: o.Reply.Code, Enhanced: o.Reply.Enhanced.String(), Text: o.Reply.Text()}
	if o.Err != nil {
		r.Error = o.Err.Error()
	}
	return r
}
