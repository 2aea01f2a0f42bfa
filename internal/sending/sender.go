package sending

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// AccountSender sends messages: an account, or a server without an account.
type AccountSender struct {
	Account string           // "" for a server without an account
	Server  transport.Server // zero if it is known only after Open
	// Open returns a client and its server. It reads the secret of the account.
	Open func(context.Context) (*yan.Client, transport.Server, error)

	// Serves reports whether the account may send from an address; nil if it is no fallback.
	Serves func(from smtp.Address) bool
	// Introduce adds the sender, headers and signature of the account to a message composed for
	// another account; nil if it is no fallback.
	Introduce func(*message.Message) error
	// OpenSent opens the mailbox that keeps copies of sent messages; nil for no copies.
	OpenSent func(context.Context) (CopyMailbox, error)
}

// CopyMailbox is a mailbox with a folder for sent messages, such as *imapclient.Mailbox.
type CopyMailbox interface {
	// Append stores a copy and returns the name of the folder.
	Append(ctx context.Context, m imapclient.Message, date time.Time) (folder string, err error)
	Close()
}

// SentAs is the account and the sender that a message was sent as.
type SentAs struct {
	Account             string // "" for none
	Server              transport.Server
	From                smtp.Address
	MessageID, ServerID string
}

// Handover is the outcome at an account that made another account take over.
type Handover struct {
	Account string
	Outcome smtp.Outcome
}

// Reasons why a run begins no further message.
var (
	ErrHopeless = errors.New("the messages before it came no further than the login")
	ErrLog      = errors.New("can't write the log")
)

// IsMessageFault reports whether err is about a message that the server can't take as it is.
func IsMessageFault(err error) bool {
	for _, e := range []error{smtpclient.ErrTooLarge, smtpclient.ErrNeedsSMTPUTF8, smtpclient.ErrHeaderNeedsSMTPUTF8,
		smtpclient.ErrNeeds8BITMIME, smtpclient.ErrNeedsBINARYMIME, smtpclient.ErrBrokenBINARYMIME, smtpclient.ErrNeedsDSN, smtpclient.ErrTooManyRecipients} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
