// Package imapclient puts a copy of a sent message into the Sent folder of its
// mailbox, where the provider does not do so itself.
//
// [Append] connects, logs in, finds the folder by its special use (RFC 6154) or
// its usual names, and appends the message (RFC 9051 section 6.3.12) as seen.
// [Check] goes as far as the folder and changes nothing. Both fail with an
// *[Error], which says at which [Stage] and what the server said.
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
	// Folder is the mailbox to append to; "" means the one for sent mail.
	Folder string
	// Dialer opens the connection; nil means net.Dialer.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds each wait for the server; 0 means 30 s. The message itself may
	// take longer, as long as it moves.
	Timeout time.Duration
}

// Message is what is appended: its size is known, its lines end with CRLF.
type Message interface {
	Size() int64
	io.WriterTo
}

// Append puts a copy of the message into the folder and gives the folder's name.
// The server is told to show date as the time of its arrival; the zero one means
// now.
//
// The error is an *[Error]. One that wraps [ErrUnknown] means that the copy may
// be there: trying again could make a second one. After any other it is not there.
func Append(ctx context.Context, cfg Config, m Message, date time.Time) (folder string, err error) {
	c, found, err := open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer c.close()
	if err := c.append(found, m, date); err != nil {
		return "", err
	}
	c.logout()
	return found.name, nil
}

// Check logs in and finds the folder.
func Check(ctx context.Context, cfg Config) (folder string, err error) {
	c, found, err := open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer c.close()
	c.logout()
	return found.name, nil
}

// open goes as far as the folder.
func open(ctx context.Context, cfg Config) (*conn, folder, error) {
	c, err := dial(ctx, cfg)
	if err != nil {
		return nil, folder{}, err
	}
	err = c.login()
	var found folder
	if err == nil {
		found, err = c.folder(cfg.Folder)
	}
	if err != nil {
		c.close()
		return nil, folder{}, err
	}
	return c, found, nil
}

func (c Config) port() int {
	if c.Port == 0 && c.StartTLS {
		return 143
	}
	return cmp.Or(c.Port, 993)
}

func (c Config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.port())) }

func (c Config) timeout() time.Duration { return cmp.Or(c.Timeout, 30*time.Second) }
