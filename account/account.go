package account

import (
	"time"
)

// Account is a mailbox to send from: its keys in the configuration, and those inherited from
// [defaults].
type Account struct {
	// Name is the user's name for the account: letters, digits, - and _.
	Name string
	// From is the sender: an address, or "Name <address>".
	From string
	// Server is a URL or the name of a provider; "" means the provider of From.
	Server string
	// User is the login name; "" means the one that the provider expects.
	User string
	// Auth forces a SASL mechanism; "" picks the best one, "none" sends without a login.
	Auth string
	// Secret is the place of the password or token.
	Secret Secret
	// OAuth2 configures access tokens; the zero value logs in with a password.
	OAuth2 OAuth2
	// Match lists further senders that this account serves: addresses, or patterns like
	// "*@example.com".
	Match []string
	// Fallback is the account that sends after a temporary failure of this one; "" means none.
	Fallback string

	// Signature is appended to the text of composed messages, after "-- ". SignatureFile is read
	// instead if it is set.
	Signature, SignatureFile string
	// ReplyTo is the reply address of composed messages; "" means From.
	ReplyTo string
	// Headers are added to composed messages that lack them, in this order.
	Headers []Header
	// SaveSent says whether a copy is put into the Sent folder.
	SaveSent SaveSent
	// IMAP is the server of the Sent folder: "imaps://host:port" or "imap://host:port"
	// (STARTTLS); "" means the provider's.
	IMAP string
	// SentFolder is the name of the Sent folder; "" means that Yan finds it.
	SentFolder string

	TLSCA, TLSPin, TLSCert, TLSKey string
	// TLSName is the name for which the SMTP server's certificate must be valid; "" means the
	// host.
	TLSName string
	// TLSRSAKeyExchange also accepts servers that support no TLS with forward secrecy.
	TLSRSAKeyExchange      bool
	AllowCleartextPassword bool
	Proxy, LocalName       string
	NoPipelining           bool
	PipelineMessages       PipelineMessages
	// Connections limits the connections open at a time; 0 means the default.
	Connections int
	// Pace is the rate limit of the outbox; zero means no limit.
	Pace Pace
	// InDoubt says what the outbox does with a message whose outcome is in doubt; "" means
	// Outbox.InDoubt.
	InDoubt InDoubt
	// Timeout limits the time for a message; 0 means the times of RFC 5321 for each phase.
	Timeout time.Duration
	// DKIMSelector is the selector that `yan doctor` looks up; "" means none.
	DKIMSelector string
	// SetFrom says when From is written into the header of a whole message: "missing" if the
	// header has no address, "always", or "" for never.
	SetFrom string

	dir string // folder of the configuration, for relative file names
}

// Header is a header field.
type Header struct{ Name, Value string }

// Secret says where the password of an account is; at most one field is set. The zero value means
// the keyring or, if there is none, the encrypted file.
type Secret struct {
	Command    string // the first line of its output
	File       string // its first line; only the owner may be able to read it
	Env        string // an environment variable
	Netrc      string // a netrc file; "default" means $NETRC or ~/.netrc
	Credential string // a systemd credential
}

// OAuth2 is the registration with an authorization server.
type OAuth2 struct {
	ClientID     string
	ClientSecret string // of an installed program, so not secret (RFC 8252 section 8.5)
	AuthURL      string // this and the following: "" means the provider's
	TokenURL     string
	DeviceURL    string
	Scopes       []string
	Tenant       string // of Microsoft; "" means common
}

// SaveSent says whether sent messages are copied into the Sent folder.
type SaveSent string

// The values of SaveSent.
const (
	// SaveAuto copies if IMAP is known and the provider does not keep a copy itself. It is
	// save_sent = "auto".
	SaveAuto   SaveSent = "auto"
	SaveAlways SaveSent = "always"
	// SaveNever is the default.
	SaveNever SaveSent = "never"
)
