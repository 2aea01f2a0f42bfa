package sandboxtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

// Option configures a server before it starts.
type Option func(*setup) error

type setup struct {
	config   sandbox.Config
	accounts [][2]string
}

// WithFault makes the server misbehave, like "body-cut" or
// "rcpt-450-4.2.1+Mailbox_busy": see [Faults]. The fault happens each time
// unless the word limits it ("*1").
func WithFault(words ...string) Option {
	return func(s *setup) error {
		for _, word := range words {
			f, err := sandbox.ParseFault(word)
			if err != nil {
				return err
			}
			s.config.Faults = append(s.config.Faults, f)
		}
		return nil
	}
}

// WithAccount adds an account instead of the profile's own; the first one is
// [Server.Login].
func WithAccount(login, password string) Option {
	return func(s *setup) error {
		if login == "" || password == "" {
			return fmt.Errorf("account %q: login and password must not be empty", login)
		}
		s.accounts = append(s.accounts, [2]string{login, password})
		return nil
	}
}

// WithTokens lets good decide at each login by XOAUTH2 or OAUTHBEARER whether
// the token is valid for that login, instead of the accounts' passwords. A
// refusal has the profile's words: a 334 with an error in JSON and then a 535,
// or, from Microsoft, the 535 alone. good may be called concurrently.
func WithTokens(good func(login, token string) bool) Option {
	return func(s *setup) error {
		if good == nil {
			return errors.New("tokens: nobody says which are good")
		}
		s.config.Tokens = good
		return nil
	}
}

// WithLockAfter locks an account for an hour, by the clock of [WithClock],
// after n wrong logins in a row: the right password is refused too.
func WithLockAfter(n int) Option {
	return func(s *setup) error {
		if n < 1 {
			return fmt.Errorf("lock after %d wrong logins: want at least one", n)
		}
		s.config.LockAfter = n
		return nil
	}
}

// WithSenderRule replaces the profile's rule on which senders a login may use.
// rule is the stage that refuses other senders: "any" (none), "mail", "rcpt"
// (as Postfix does), "header" (MAIL, and the From header at the end) or "body"
// (at the end of the message).
func WithSenderRule(rule string) Option {
	return func(s *setup) error {
		s.config.SenderRule = sandbox.SenderRule(rule)
		return nil
	}
}

// WithSenderAlias lets every login use these addresses as sender, in addition
// to its own.
func WithSenderAlias(addresses ...string) Option {
	return func(s *setup) error {
		s.config.SenderAliases = append(s.config.SenderAliases, addresses...)
		return nil
	}
}

// WithoutExtension withholds keywords of EHLO, like "PIPELINING", "STARTTLS" or
// "AUTH"; the server then refuses the commands that they allow.
func WithoutExtension(keywords ...string) Option {
	return func(s *setup) error {
		s.config.Without = append(s.config.Without, keywords...)
		return nil
	}
}

// WithMechanisms replaces the mechanisms that the profile offers.
func WithMechanisms(names ...string) Option {
	return func(s *setup) error {
		s.config.Mechanisms = append(s.config.Mechanisms, names...)
		return nil
	}
}

// WithAuthRequired makes the plain profile refuse mail before AUTH; the others
// always do.
func WithAuthRequired() Option {
	return func(s *setup) error {
		s.config.RequireAuth = true
		return nil
	}
}

// WithCleartextPassword makes the server offer and accept AUTH on an
// unencrypted connection, which is a violation otherwise.
func WithCleartextPassword() Option {
	return func(s *setup) error {
		s.config.AllowCleartextPassword = true
		return nil
	}
}

// WithCertificate makes the server show an invalid certificate: "expired",
// "self-signed" or "wrong-name".
func WithCertificate(kind string) Option {
	return func(s *setup) error {
		s.config.Certificate = sandbox.Certificate(kind)
		return nil
	}
}

// WithHostNames adds names to the server's certificate, like smtp.corp.example,
// in addition to localhost and the hosts of the imitated provider.
func WithHostNames(names ...string) Option {
	return func(s *setup) error {
		s.config.HostNames = append(s.config.HostNames, names...)
		return nil
	}
}

// WithClientCertificateRequired refuses TLS clients without a certificate of
// [Server.ClientCertificate].
func WithClientCertificateRequired() Option {
	return func(s *setup) error {
		s.config.RequireClientCertificate = true
		return nil
	}
}

// WithMaxTLS limits the TLS version, like tls.VersionTLS12.
func WithMaxTLS(version uint16) Option {
	return func(s *setup) error {
		s.config.MaxTLS = version
		return nil
	}
}

// WithMaxSize sets the limit on a message, in octets.
func WithMaxSize(octets int64) Option {
	return func(s *setup) error {
		s.config.MaxSize = octets
		return nil
	}
}

// WithMaxRecipients sets the limit on the recipients of one message.
func WithMaxRecipients(n int) Option {
	return func(s *setup) error {
		s.config.MaxRecipients = n
		return nil
	}
}

// Limits are the limits of RFC 9422; 0 is no limit.
type Limits struct {
	Transactions     int // MAILMAX: per connection
	Recipients       int // RCPTMAX: per message
	RecipientDomains int // RCPTDOMAINMAX: different domains per message
}

// WithLimits makes the server offer LIMITS (RFC 9422) and enforce them;
// exceeding one is a violation.
func WithLimits(l Limits) Option {
	return func(s *setup) error {
		s.config.Limits = smtp.Limits{Transactions: l.Transactions, Recipients: l.Recipients, RecipientsDomains: l.RecipientDomains}
		return nil
	}
}

// WithMessagesPerConnection refuses MAIL after n messages on a connection.
// reply is a line like "421 4.7.0 Too many messages"; "" is the reply of the
// profile's provider.
func WithMessagesPerConnection(n int, reply string) Option {
	return func(s *setup) error {
		s.config.MessagesPerConnection = sandbox.Bound{Max: n, Reply: reply}
		return nil
	}
}

// WithConnectionsAtOnce refuses a connection while n are open: in its greeting,
// or, if the reply can't be a greeting (Microsoft's 432), at the end of each
// message.
func WithConnectionsAtOnce(n int, reply string) Option {
	return func(s *setup) error {
		s.config.ConnectionsAtOnce = sandbox.Bound{Max: n, Reply: reply}
		return nil
	}
}

// WithMessageRate refuses MAIL if n messages were accepted within the window,
// by the clock of [WithClock].
func WithMessageRate(n int, window time.Duration, reply string) Option {
	return func(s *setup) error {
		s.config.MessageRate = sandbox.Rate{Bound: sandbox.Bound{Max: n, Reply: reply}, Window: window}
		return nil
	}
}

// Quirks lists the words for [WithQuirk]:
//
//	keeps-transaction  a refused BDAT LAST leaves the transaction open
//	loses-group        PIPELINING is offered, and input that arrives together
//	                   with a command is lost
//	loses-mail         PIPELINING is offered, and a MAIL that arrives together
//	                   with an earlier command is lost
//
//	refuses-after-dot  commands sent before the reply to the end of DATA are
//	                   refused (Haraka)
//	loses-after-dot    they are lost (Courier, chasquid)
//	keeps-after-dot    they are added to the message
//
//	reads-refused-chunk  the octets of a refused BDAT are read as commands
//	                     (go-smtp up to 0.25.0)
//	counts-resets        the eleventh RSET without an accepted message between
//	                     ends the connection (Exim)
//	reads-on-after-421   421 does not end the connection (Exim)
//	dsn-after-login      DSN is listed only after the login (Dovecot)
//	replies-apart        each reply waits until the last one is acknowledged
//	                     (Haraka, Courier)
//	hangs-up-on-group    there is no PIPELINING, and two commands at once end the
//	                     connection (OpenSMTPD)
func Quirks() []string {
	var words []string
	for _, q := range sandbox.Quirks() {
		words = append(words, string(q))
	}
	return words
}

// WithQuirk gives the server quirks of [Quirks].
func WithQuirk(words ...string) Option {
	return func(s *setup) error {
		for _, word := range words {
			s.config.Quirks = append(s.config.Quirks, sandbox.Quirk(word))
		}
		return nil
	}
}

// WithMaildir also delivers into a directory, one Maildir for each recipient.
func WithMaildir(dir string) Option {
	return func(s *setup) error {
		s.config.Maildir = dir
		return nil
	}
}

// WithLMTP opens a port that speaks LMTP, with one reply for each recipient.
func WithLMTP() Option {
	return func(s *setup) error {
		s.config.LMTPAddr = "127.0.0.1:0"
		return nil
	}
}

// WithIdleTimeout sets how long the server waits for a client; 0 is 5 minutes.
func WithIdleTimeout(d time.Duration) Option {
	return func(s *setup) error {
		s.config.IdleTimeout = d
		return nil
	}
}

// WithClock sets the clock of message times, greetings and queue ids.
func WithClock(now func() time.Time) Option {
	return func(s *setup) error {
		s.config.Now = now
		return nil
	}
}
