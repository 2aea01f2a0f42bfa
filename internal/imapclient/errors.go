package imapclient

import (
	"errors"
	"strings"
)

// Stage is a place in the conversation. The values are stable words.
type Stage string

// The stages in their order.
const (
	StageConnect Stage = "connect" // DNS, TCP and the server's greeting
	StageTLS     Stage = "tls"     // STARTTLS and the handshake
	StageLogin   Stage = "login"
	StageFolder  Stage = "folder" // finding the folder
	StageAppend  Stage = "append"
	StageSearch  Stage = "search" // looking for a message in the folder
)

// Reply is a server's answer to a command. The zero Reply means that there was
// none.
type Reply struct {
	// Status is "OK", "NO", "BAD" or, when the server hung up with a reason, "BYE".
	Status string
	// Code is the response code, upper case: "AUTHENTICATIONFAILED", "OVERQUOTA"
	// (RFC 9051 section 7.1); "" when there is none.
	Code string
	// Text is for people: one line without control characters and without secrets.
	Text string
	// Alert is what the server said beside its answer and wants the user to see;
	// "" when it did not.
	Alert string
}

// IsZero reports whether there was no reply.
func (r Reply) IsZero() bool { return r.Status == "" }

// String is the reply as one line: "NO [OVERQUOTA] Mailbox is full".
func (r Reply) String() string {
	words := []string{r.Status}
	if r.Code != "" {
		words = append(words, "["+r.Code+"]")
	}
	if r.Text != "" {
		words = append(words, r.Text)
	}
	s := strings.Join(words, " ")
	if r.Alert != "" {
		s += " (" + r.Alert + ")"
	}
	return s
}

// Error is a failure of one stage: the server's answer, or what went wrong on
// this side, or both.
type Error struct {
	Stage Stage
	Reply Reply // zero when the server said nothing
	// Folders are those of the mailbox, when the one that was looked for is not
	// among them.
	Folders []string
	Err     error // nil when the reply says it all
}

// Error names the stage first: "login: NO [AUTHENTICATIONFAILED] no such user".
func (e *Error) Error() string {
	s := string(e.Stage)
	if !e.Reply.IsZero() {
		s += ": " + e.Reply.String()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the local cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }

// Errors that a caller may want to tell apart, beside those of package smtpclient
// that come wrapped in an *[Error] too: ErrSTARTTLSNotOffered, ErrInjectedResponse,
// ErrPinMismatch, ErrNoMechanism, ErrServerNotVerified, ErrTooLarge, ErrContent.
var (
	// ErrUnknown: the whole message was handed over and the answer did not come. The
	// copy may have been saved.
	ErrUnknown = errors.New("the copy was sent whole and the server's answer was lost: it may have been saved")
	// ErrNoFolder: no folder is for sent mail, or none has the name that was asked
	// for. Error.Folders are those that there are.
	ErrNoFolder = errors.New("there is no such folder")
	// ErrLoginDisabled: the server takes no password (LOGINDISABLED), and offers no
	// mechanism that would do without.
	ErrLoginDisabled = errors.New("the server does not take a login with a password")
	// ErrClosed: the Mailbox was closed, or has come to its end before.
	ErrClosed = errors.New("the connection to the mailbox was ended before")
	// ErrMalformed: what came is not IMAP, or not within bounds.
	ErrMalformed = errors.New("not an IMAP response")
)
