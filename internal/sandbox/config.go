package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Config describes the provider to imitate. The zero Config is the plain
// profile on free ports.
type Config struct {
	// Profile is a name of [Profiles]; "" is plain.
	Profile string
	// Accounts maps a login to its secret, which is also its OAuth 2.0 token;
	// nil is [DefaultLogin] with [Password].
	Accounts map[string]string
	// Tokens decides at each login by XOAUTH2 or OAUTHBEARER whether the token
	// is valid for that login, known or not, instead of Accounts; nil uses
	// Accounts. It may be called concurrently.
	Tokens func(login, token string) bool
	// SubmissionAddr, TLSAddr and LMTPAddr are the addresses to listen on:
	// plain with STARTTLS, TLS from the first byte, and LMTP with STARTTLS. The
	// host must be 127.0.0.1 or [::1]. "" is a free port of 127.0.0.1; for
	// LMTPAddr it means no LMTP.
	SubmissionAddr, TLSAddr, LMTPAddr string
	// NoPorts opens no port and creates no certificate: connections come only
	// from [Server.Serve], and STARTTLS is not offered.
	NoPorts bool

	Certificate Certificate
	// HostNames are further names in the certificate.
	HostNames []string
	// MaxTLS is the newest TLS version, like tls.VersionTLS12; 0 for no limit.
	MaxTLS uint16
	// RequireClientCertificate refuses a TLS client that shows no certificate
	// of this server's CA ([Server.ClientCertificate]).
	RequireClientCertificate bool

	// Without withholds keywords of EHLO, like "PIPELINING"; the commands that
	// they allow are then refused.
	Without []string
	// Mechanisms replaces the profile's mechanisms.
	Mechanisms []string
	// LockAfter locks an account for [LockTime], by the clock Now, after this
	// many wrong logins in a row: the right secret is refused too. 0 is never.
	LockAfter int
	// SenderRule replaces the profile's rule; "" keeps it.
	SenderRule SenderRule
	// SenderAliases are senders that every login may use in addition to its own
	// address.
	SenderAliases []string
	// RequireAuth refuses MAIL before AUTH in the plain profile too.
	RequireAuth bool
	// AllowCleartextPassword offers and accepts AUTH without TLS and counts no
	// violation.
	AllowCleartextPassword bool
	// MaxSize is the SIZE limit in octets, MaxRecipients the limit on
	// recipients of one message; 0 is the profile's limit.
	MaxSize       int64
	MaxRecipients int
	// MaxConnections is the limit on open connections; further ones are closed
	// without a reply. 0 is 1000.
	MaxConnections int

	// Limits are offered as LIMITS (RFC 9422) and enforced; exceeding one is a
	// violation.
	Limits smtp.Limits
	// MessagesPerConnection limits the messages accepted on one connection; the
	// next MAIL gets its reply.
	MessagesPerConnection Bound
	// ConnectionsAtOnce limits the open connections. The next connection is
	// greeted with its reply and closed. If that reply can't be a greeting
	// (Microsoft's 432), it is the reply to each message of the connection.
	ConnectionsAtOnce Bound
	// MessageRate limits the messages accepted within a span of time, over all
	// connections; the next MAIL gets its reply.
	MessageRate Rate
	// Software makes the greeting and the EHLO reply those of "postfix", "exim"
	// or "go-smtp"; "" keeps the profile's.
	Software string
	// Quirks are permanent behaviours of the server.
	Quirks []Quirk

	// Faults happen each time their stage is reached, or Times times.
	Faults []Fault
	// Pace is called between the bytes of a drip; nil sends them without a
	// pause, one write each.
	Pace func()
	// IdleTimeout closes an idle connection; 0 is 5 minutes (RFC 5321 section
	// 4.5.3.2.7).
	IdleTimeout time.Duration

	// Maildir is a directory that gets one Maildir for each recipient; "" keeps
	// messages in memory only.
	Maildir string
	// Discard counts messages but keeps none in memory.
	Discard bool
	// Committed is called with each message when the server takes
	// responsibility for it, before any octet of the reply is written; calls
	// don't overlap.
	Committed func(Message)

	// Log is called with each line of each conversation; calls don't overlap.
	Log func(LogEvent)
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
		if !slices.Contains(supportedMechanisms(), m) {
			return cfg, fmt.Errorf("no mechanism %q; there are %s", m, joinWords(supportedMechanisms()))
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
