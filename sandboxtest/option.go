package sandboxtest

import (
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
)

// Option changes a server before it starts.
type Option func(*setup) error

type setup struct {
	config   sandbox.Config
	accounts [][2]string
}

// WithFault makes the server misbehave, like "body-cut" or
// "rcpt-450-4.2.1+Mailbox_busy": see [Faults]. It happens each time unless the
// word says how often ("*1").
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

// WithAccount adds an account in place of the profile's own; the first one is
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

// WithoutExtension withholds keywords of EHLO, like "PIPELINING", "STARTTLS"
// or "AUTH"; the server then refuses what they stand for.
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

// WithCleartextPassword makes the server offer and take AUTH on an
// unencrypted connection, which is a violation otherwise.
func WithCleartextPassword() Option {
	return func(s *setup) error {
		s.config.AllowCleartextPassword = true
		return nil
	}
}

// WithCertificate makes the server show a certificate that is no good:
// "expired", "self-signed" or "wrong-name".
func WithCertificate(kind string) Option {
	return func(s *setup) error {
		s.config.Certificate = sandbox.Certificate(kind)
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

// WithMaildir also delivers into a folder, one Maildir for each recipient.
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
