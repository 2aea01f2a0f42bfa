package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Config says what to imitate and how. The zero Config is the plain profile
// on free ports.
type Config struct {
	// Profile is a name of [Profiles]; "" is plain.
	Profile string
	// Accounts maps a login to its secret, which is its OAuth 2.0 token, too;
	// nil is [DefaultLogin] with [Password].
	Accounts map[string]string
	// Tokens decides at each login by XOAUTH2 or OAUTHBEARER whether that token
	// is good for that login, known or not, in place of Accounts; nil leaves it
	// to them. It may be called from several goroutines at once.
	Tokens func(login, token string) bool
	// SubmissionAddr, TLSAddr and LMTPAddr are where to listen: plain with
	// STARTTLS, TLS from the first byte, and LMTP with STARTTLS. The host must
	// be 127.0.0.1 or [::1]. "" is a free port of 127.0.0.1; for LMTPAddr it
	// means no LMTP.
	SubmissionAddr, TLSAddr, LMTPAddr string
	// NoPorts listens nowhere and has no certificate: connections come by
	// [Server.Serve] only, and STARTTLS is not offered.
	NoPorts bool

	Certificate Certificate
	// HostNames are further names for which the certificate is good.
	HostNames []string
	// MaxTLS is the newest TLS version, like tls.VersionTLS12; 0 for no limit.
	MaxTLS uint16
	// RequireClientCertificate refuses a TLS client without one of this
	// server's CA ([Server.ClientCertificate]).
	RequireClientCertificate bool

	// Without withholds keywords of EHLO, like "PIPELINING"; what they stand for is
	// then refused.
	Without []string
	// Mechanisms replaces the profile's mechanisms.
	Mechanisms []string
	// LockAfter locks an account for [LockTime], by the clock Now, once so many
	// logins in a row were wrong: the right one is refused, too. 0 is never.
	LockAfter int
	// SenderRule is the profile's own where it is "".
	SenderRule SenderRule
	// SenderAliases are senders that every login may use beside itself.
	SenderAliases []string
	// RequireAuth refuses MAIL before AUTH in the plain profile, too.
	RequireAuth bool
	// AllowCleartextPassword takes and offers AUTH without TLS and counts no
	// violation.
	AllowCleartextPassword bool
	// MaxSize is the SIZE limit in octets, MaxRecipients that of one message; 0 is
	// the profile's.
	MaxSize       int64
	MaxRecipients int
	// MaxConnections bounds the connections that are open at once; one more is
	// closed without a word. 0 is 1000.
	MaxConnections int

	// Limits are offered as LIMITS (RFC 9422) and enforced; a client that goes
	// beyond has violated them.
	Limits smtp.Limits
	// MessagesPerConnection bounds the messages accepted on one connection; a
	// MAIL beyond gets its reply.
	MessagesPerConnection Bound
	// ConnectionsAtOnce bounds the connections open at once, in words: one more
	// is greeted with its reply and closed, or, where the reply is none for a
	// greeting (Microsoft's 432), gets it for each message.
	ConnectionsAtOnce Bound
	// MessageRate bounds the messages accepted within a span of time, over all
	// connections; a MAIL beyond gets its reply.
	MessageRate Rate
	// Software makes the server greet, and answer EHLO, like "postfix", "exim" or
	// "go-smtp"; "" is as the profile has it.
	Software string
	// Quirks are habits that the server has all the time.
	Quirks []Quirk

	// Faults happen at their stage each time, or Times times.
	Faults []Fault
	// Pace is called between the bytes of a drip; nil sends them as fast as
	// they go, one write for each.
	Pace func()
	// IdleTimeout closes a connection on which nothing moves; 0 is 5 minutes
	// (RFC 5321 section 4.5.3.2.7).
	IdleTimeout time.Duration

	// Maildir is a folder that gets one Maildir for each recipient; "" keeps
	// messages in memory only.
	Maildir string
	// Discard counts messages but keeps none in memory.
	Discard bool
	// Committed is called with each message at the moment when the server takes
	// responsibility for it, before a word of its reply is written; one at a
	// time.
	Committed func(Message)

	// Log is called with each line of each conversation, one at a time.
	Log func(Event)
	// ShowSecrets leaves the AUTH exchanges in the log.
	ShowSecrets bool
	// Now is the clock of greetings, queue ids and messages; nil is time.Now.
	Now func() time.Time
}

func withDefaults(cfg Config, p profile) (Config, error) {
	for _, f := range cfg.Faults {
		if err := f.check(); err != nil {
			return cfg, fmt.Errorf("fault %s: %w", f, err)
		}
	}
	if cfg.MaxSize < 0 || cfg.MaxRecipients < 0 || cfg.MaxConnections < 0 || cfg.IdleTimeout < 0 || cfg.LockAfter < 0 {
		return cfg, errors.New("a limit or time-out of the sandbox is negative")
	}
	if err := errors.Join(cfg.checkLimits(), checkQuirks(cfg.Quirks), checkSoftware(cfg.Software), checkSenderRule(cfg.SenderRule)); err != nil {
		return cfg, err
	}
	for _, m := range cfg.Mechanisms {
		if !slices.Contains(mechanisms(), m) {
			return cfg, fmt.Errorf("no mechanism %q; there are %s", m, joinWords(mechanisms()))
		}
	}
	if cfg.Accounts == nil {
		cfg.Accounts = map[string]string{"me@" + p.domain: Password}
	}
	cfg.Accounts = maps.Clone(cfg.Accounts)
	if cfg.MaxRecipients == 0 {
		cfg.MaxRecipients = p.maxRecipients
	}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 1000
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NoPorts {
		cfg.Without = append(slices.Clone(cfg.Without), "STARTTLS")
	}
	for _, addr := range []*string{&cfg.SubmissionAddr, &cfg.TLSAddr} {
		if *addr == "" {
			*addr = "127.0.0.1:0"
		}
	}
	return cfg, nil
}
