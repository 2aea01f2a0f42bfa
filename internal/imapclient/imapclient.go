// Package imapclient saves a copy of a sent message in the Sent folder of its
// mailbox, if the provider does not do so itself, and checks whether one is
// there.
//
// [Open] connects, logs in and finds the folder by its special use (RFC 6154)
// or its usual names. [Mailbox.Append] appends a message (RFC 9051 section
// 6.3.12) as seen, any number of them over one connection and with one login,
// and [Mailbox.Close] logs out. [Append] is the three for one message; [Check]
// stops after finding the folder and changes nothing. [Mailbox.Search] looks
// for a message by its Message-ID, and [Search] does so for one message. All
// fail with an *[Error], with the [Stage] and the server's reply.
//
// Only STARTTLS is ever sent in the clear, a message is never appended twice,
// and memory does not grow with its size. The package speaks IMAP4rev1 and
// IMAP4rev2, one command at a time.
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

// Config describes the mailbox and the login.
type Config struct {
	Host string
	Port int // 0 means 993, or 143 with STARTTLS
	// StartTLS requires STARTTLS; otherwise TLS from the first byte.
	StartTLS bool
	Trust    smtpclient.Trust
	Auth     sasl.Credentials
	// Token returns a valid access token, instead of Auth.Password and
	// Auth.Token. It is called before each login with "", and once more with
	// the token that the server refused.
	Token func(ctx context.Context, refused string) (string, error)
	// Folder is the folder to append to and to search; "" means the one for
	// sent mail.
	Folder string
	// Dialer opens the connection; nil means net.Dialer.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout limits each wait for the server; 0 means 30 s. The upload may
	// take longer, as long as it progresses.
	Timeout time.Duration
	// Now measures how long a connection was idle; nil means time.Now.
	Now func() time.Time

	// smallHello says that the server did not answer a large ClientHello.
	smallHello bool
}

// Message is a message to append: its size is known, its lines end with CRLF.
type Message interface {
	Size() int64
	io.WriterTo
}

// Append combines [Open], [Mailbox.Append] and [Mailbox.Close] for one message.
func Append(ctx context.Context, cfg Config, m Message, date time.Time) (folder string, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer b.logoutWithin(ctx)
	return b.Append(ctx, m, date)
}

// Search combines [Open], [Mailbox.Search] and [Mailbox.Close] for one message.
func Search(ctx context.Context, cfg Config, messageID string) (found bool, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return false, err
	}
	defer b.logoutWithin(ctx)
	return b.Search(ctx, messageID)
}

// Check logs in and finds the folder.
func Check(ctx context.Context, cfg Config) (folder string, err error) {
	b, err := Open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer b.logoutWithin(ctx)
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

// now returns the wall clock time: the monotonic clock stops while a computer
// sleeps, and the server's does not.
func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now().Round(0)
	}
	return c.Now().Round(0)
}
