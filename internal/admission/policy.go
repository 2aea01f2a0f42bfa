package admission

import (
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Peer is who hands a message over, as the way in has found out.
type Peer struct {
	User  string // login name of a user of this machine; "" if it is none
	UID   int    // of User
	Token string // name of the token that it logged in with; "" if none
}

// String returns "user www-data", "token gitea" or "local", for logs.
func (p Peer) String() string {
	switch {
	case p.Token != "":
		return "token " + p.Token
	case p.User != "":
		return "user " + p.User
	}
	return "local"
}

// Tag returns the tag of the peer's messages in the outbox: user:www-data, token:gitea or local.
func (p Peer) Tag() string { return p.tag() }

func (p Peer) tag() string {
	switch {
	case p.Token != "":
		return "token:" + p.Token
	case p.User != "":
		return "user:" + p.User
	}
	return "local"
}

// Foreign says what happens to a sender that a grant does not have.
type Foreign int

const (
	Rewrite Foreign = iota // it becomes that of the account
	Refuse                 // 550 5.7.1
)

// Limits of a grant that names none.
const (
	DefaultMaxRecipients = 1000
	DefaultMaxSize       = 50 << 20
)

// Grant is what a peer may do.
type Grant struct {
	Account       string
	Mailbox       message.Mailbox // of the account: what From becomes
	From          []Pattern       // other senders that it may use as they are
	Foreign       Foreign         // what happens to any other sender
	PerHour       int             // recipients in an hour; 0: no limit
	MaxRecipients int             // of a message; 0: DefaultMaxRecipients
	MaxSize       int64           // in octets; 0: DefaultMaxSize
	SMTPUTF8      bool            // the account's provider takes it
}

// Policy is the table of rules that the configuration makes. It is safe for concurrent use.
type Policy interface {
	// Grant returns what a peer may do. The error is a *Refusal.
	Grant(Peer) (Grant, error)
	// Local returns the addresses of a name without a domain. The error is a *Refusal (rule "local")
	// with the line to add to the configuration.
	Local(name string) ([]smtp.Address, error)
	// IsLocalDomain reports whether a domain means this machine: "", localhost, its names.
	IsLocalDomain(domain string) bool
}
