package admission

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/outbox"
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
func (p Peer) Tag() string {
	name := strings.Replace(p.String(), " ", ":", 1)
	tag := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(",/~", r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, name)
	if tag == name && len(tag) <= outbox.MaxTag {
		return tag
	}
	// Another name must not have the same tag: users see the messages that have theirs.
	sum := sha256.Sum256([]byte(name))
	end := "~" + hex.EncodeToString(sum[:8])
	return strings.ToValidUTF8(tag[:min(len(tag), outbox.MaxTag-len(end))], "") + end
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
	// Others are grants of further accounts: the first that has the sender is used in place of this
	// one, if this one has not.
	Others []Grant
}

// Recipients returns the highest number of recipients of a message.
func (g Grant) Recipients() int {
	if g.MaxRecipients > 0 {
		return g.MaxRecipients
	}
	return DefaultMaxRecipients
}

// Size returns the highest size of a message.
func (g Grant) Size() int64 {
	if g.MaxSize > 0 {
		return g.MaxSize
	}
	return DefaultMaxSize
}

// MaySend reports whether the sender may be used as it is.
func (g Grant) MaySend(sender smtp.Address) bool {
	if sameAddress(sender, g.Mailbox.Address) {
		return true
	}
	for _, p := range g.From {
		if p.Matches(sender) {
			return true
		}
	}
	return false
}

// senders lists the senders for a hint.
func (g Grant) senders() string {
	list := []string{g.Mailbox.Address.String()}
	for _, p := range g.From {
		list = append(list, p.String())
	}
	return strings.Join(list, ", ")
}

// forSender returns the grant for an envelope sender: this one, or one of Others.
func (g Grant) forSender(from string) Grant {
	address, err := smtp.ParseAddress(from)
	if err != nil || g.MaySend(address) {
		return g
	}
	for _, other := range g.Others {
		if other.MaySend(address) {
			return other
		}
	}
	return g
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
