package account

import (
	"time"
)

// Account is a mailbox to send from, as the configuration has it and with what
// it inherits from the defaults.
type Account struct {
	// Name is how the user calls it: letters, digits, - and _.
	Name string
	// From is the sender: an address, or "Name <address>".
	From string
	// Server is a URL or the name of a provider; "" means the provider of From.
	Server string
	// User is the login name; "" means the one that the provider expects.
	User string
	// Auth forces a SASL mechanism; "" takes the best, "none" logs in as nobody.
	Auth string
	// Secret is where the password or the token is.
	Secret Secret
	// OAuth2 is how tokens are got; the zero value logs in with a password.
	OAuth2 OAuth2
	// Match are further senders that this account serves: addresses, or patterns
	// like "*@example.com".
	Match []string
	// Fallback is the account that takes over when this one fails for a while;
	// "" means none.
	Fallback string

	// Signature is put under the text of composed messages, behind "-- ".
	// SignatureFile is read instead, if set.
	Signature, SignatureFile string
	// ReplyTo is where answers to composed messages go; "" means From.
	ReplyTo string
	// Headers are added to composed messages that lack them, in this order.
	Headers []Header
	// SaveSent says whether a copy goes into the Sent folder.
	SaveSent SaveSent
	// IMAP is the mailbox of that folder: "imaps://host:port" or "imap://host:port"
	// (STARTTLS); "" means the provider's.
	IMAP string
	// SentFolder is its name; "" finds it.
	SentFolder string

	TLSCA, TLSPin, TLSCert, TLSKey string
	// TLSName is the name that the SMTP server's certificate has to be valid for; ""
	// means the host.
	TLSName string
	// TLSRSAKeyExchange also takes servers that know TLS only without forward secrecy.
	TLSRSAKeyExchange      bool
	AllowCleartextPassword bool
	Proxy, LocalName       string
	NoPipelining           bool
	PipelineMessages       PipelineMessages
	// Connections bounds those that are open at a time; 0 means the usual.
	Connections int
	// Pace is how many messages the outbox hands over in a time; zero means as many
	// as the server takes.
	Pace Pace
	// InDoubt is what the outbox does with a message of which nobody can know whether
	// it was handed over; "" means what Outbox.InDoubt says.
	InDoubt InDoubt
	// Timeout bounds a message; 0 means RFC 5321's times for each phase.
	Timeout time.Duration
	// DKIMSelector is looked up by the doctor; "" looks up none.
	DKIMSelector string
	// SetFrom is when From goes into the header of a whole message: "missing" where no
	// address is there, "always", or "" never.
	SetFrom string

	dir string // of the configuration, for relative names of files
}

// Header is a header field.
type Header struct{ Name, Value string }

// Secret says where the password of an account is; at most one is set. The zero
// value is the keyring or, where there is none, the encrypted file.
type Secret struct {
	Command    string // its first line of output
	File       string // its first line; nobody else may read it
	Env        string // a variable
	Netrc      string // a netrc file; "default" means $NETRC or ~/.netrc
	Credential string // a systemd credential
}

// OAuth2 is the registration with an authorization server.
type OAuth2 struct {
	ClientID     string
	ClientSecret string // of an installed program: no secret (RFC 8252 section 8.5)
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
	// SaveAuto copies where IMAP is known and the provider does not keep a copy
	// itself. It is for accounts whose save_sent = "auto".
	SaveAuto   SaveSent = "auto"
	SaveAlways SaveSent = "always"
	// SaveNever is the default.
	SaveNever SaveSent = "never"
)
