package imapclient

import (
	"errors"
	"strings"
)

// Stage is a step of a session. The values are stable words.
type Stage string

// The stages in order.
const (
	StageConnect Stage = "connect" // DNS, TCP and the server's greeting
	StageTLS     Stage = "tls"     // STARTTLS and the handshake
	StageLogin   Stage = "login"
	StageFolder  Stage = "folder" // finding the folder
	StageAppend  Stage = "append"
	StageSearch  Stage = "search" // searching the folder for a message
)

// ServerReply is a server's answer to a command. The zero Reply means that there was
// none.
type ServerReply struct {
	// Status is "OK", "NO", "BAD" or, if the server closed the connection with
	// a reason, "BYE".
	Status string
	// Code is the response code, upper case: "AUTHENTICATIONFAILED",
	// "OVERQUOTA" (RFC 9051 section 7.1); "" if there is none.
	Code string
	// Text is human-readable: one line without control characters and without
	// secrets.
	Text string
	// Alert is a message of the server that the user must see; "" if there was
	// none.
	Alert string
}

// IsZero reports whether there was no reply.
func (r ServerReply) IsZero() bool { return r.Status == "" }

// String returns the reply as one line: "NO [OVERQUOTA] Mailbox is full".
func (r ServerReply) String() string {
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

// Error is a failure of one stage: the server's reply, or a local error, or
// both.
type Error struct {
	Stage Stage
	Reply ServerReply // zero if the server sent none
	// Folders lists the mailbox's folders if the requested one is not among
	// them.
	Folders []string
	Err     error // nil if the reply is the whole reason
}

// Error begins with the stage: "login: NO [AUTHENTICATIONFAILED] no such user".
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

// Unwrap returns the local cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }

// Errors that a caller may want to distinguish. These errors of package
// smtpclient are wrapped in an *[Error] too: ErrSTARTTLSNotOffered,
// ErrInjectedResponse, ErrPinMismatch, ErrNoMechanism, ErrServerNotVerified,
// ErrTooLarge, ErrContent.
var (
	// ErrUnknown: the whole message was sent and the answer did not come. The
	// copy may have been saved.
	ErrUnknown = errors.New("the copy was sent whole and the server's answer was lost: it may have been saved")
	// ErrNoFolder: no folder is marked for sent mail, or none has the requested
	// name. Error.Folders lists the existing ones.
	ErrNoFolder = errors.New("there is no such folder")
	// ErrLoginDisabled: the server accepts no password (LOGINDISABLED), and
	// offers no other mechanism.
	ErrLoginDisabled = errors.New("the server does not take a login with a password")
	// ErrClosed: the Mailbox was closed, or ended by an earlier error.
	ErrClosed = errors.New("the connection to the mailbox was ended before")
	// ErrMalformed: the response is not IMAP, or exceeds a limit.
	ErrMalformed = errors.New("not an IMAP response")
)
