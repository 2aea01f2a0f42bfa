// Package imapclient puts a copy of a sent message into the Sent folder of its
// mailbox, where the provider does not do so itself, and finds out whether one is
// there.
//
// [Open] connects, logs in and finds the folder by its special use (RFC 6154) or
// its usual names. [Mailbox.Append] appends a message (RFC 9051 section 6.3.12) as
// seen, any number of them over one connection and with one login, and
// [Mailbox.Close] logs out. [Append] is the three for one message; [Check] goes as
// far as the folder and changes nothing. [Mailbox.Search] looks for a message by its
// Message-ID, and [Search] for one. All fail with an *[Error], which says at which
// [Stage] and what the server said.
//
// Nothing is ever sent in the clear but STARTTLS, a message is never appended
// twice, and nothing here grows with its size. It speaks IMAP4rev1 and IMAP4rev2,
// one command at a time.
package imapclient

import (
	"cmp"
	"context"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

// Config says how to reach the mailbox.
type Config struct {
	Host string
	Port int // 0 means 993, or 143 with STARTTLS
	// StartTLS encrypts with STARTTLS, which is then required; else TLS from the
	// first byte.
	StartTLS bool
	Trust    smtpclient.Trust
	Auth     sasl.Credentials
	// Token gives access tokens that are fresh, instead of Auth.Password and
	// Auth.Token: it is called before each login, with "", and once more with the
	// token that the server did not take.
	Token func(ctx context.Context, refused string) (string, error)
	// Folder is the mailbox to append to and to look into; "" means the one for sent
	// mail.
	Folder string
	// Dialer opens the connection; nil means net.Dialer.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds each wait for the server; 0 means 30 s. The message itself may
	// take longer, as long as it moves.
	Timeout time.Duration
	// Now tells how long a connection was not used; nil means time.Now.
	Now func() time.Time
}

// Message is what is appended: its size is known, its lines end with CRLF.
type Message interface {
	Size() int64
	io.WriterTo
}

// Append is [Open], [Mailbox.Append] and [Mailbox.Close], for one message.
func Append(ctx context.Context, cfg Config, m Message, date time.Time) (folder string, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer b.leave(ctx)
	return b.Append(ctx, m, date)
}

// Search is [Open], [Mailbox.Search] and [Mailbox.Close], for one message.
func Search(ctx context.Context, cfg Config, messageID string) (found bool, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return false, err
	}
	defer b.leave(ctx)
	return b.Search(ctx, messageID)
}

// Check logs in and finds the folder.
func Check(ctx context.Context, cfg Config) (folder string, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer b.leave(ctx)
	return b.folder.name, nil
}

func (c Config) port() int {
	if c.Port == 0 && c.StartTLS {
		return 143
	}
	return cmp.Or(c.Port, 993)
}

func (c Config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.port())) }

func (c Config) timeout() time.Duration { return cmp.Or(c.Timeout, 30*time.Second) }

// now is the time by the wall clock: the monotonic one stands still while a
// computer sleeps, and the server's does not.
func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now().Round(0)
	}
	return c.Now().Round(0)
}
