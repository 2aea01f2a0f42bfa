package submission

import (
	"bytes"
	"errors"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// headerOf reads the header of a message. A content that knows it has the method ReadHeader.
func headerOf(content smtpclient.Content) (message.RawHeader, error) {
	if c, ok := content.(interface {
		ReadHeader() (message.RawHeader, error)
	}); ok {
		return c.ReadHeader()
	}
	head := headerBuffer{most: maxHeader}
	if _, err := content.WriteTo(&head); err != nil && !errors.Is(err, errEnough) {
		return message.RawHeader{}, err
	}
	return message.ReadHeader(bytes.NewReader(head.octets), maxHeader)
}

// idDomain returns the domain for a Message-ID: the author's, or else the sender's.
func idDomain(h message.RawHeader, e smtp.Envelope) string {
	if author, ok := h.Author(); ok {
		return author.Address.ASCIIDomain()
	}
	if domain := e.From().ASCIIDomain(); domain != "" {
		return domain
	}
	return "localhost"
}

// listSubject returns a subject for lists: one line of at most 300 octets.
func listSubject(subject string) string {
	return excerpt.Octets(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(subject, "\ufffd")), 300)
}

const maxHeader = 1<<20 + 64<<10 // the limit of message.OpenRaw, whose line ends do not count

var errEnough = errors.New("enough was read")

// headerBuffer keeps the header of the octets written to it, then rejects the rest.
type headerBuffer struct {
	octets []byte
	most   int
}

func (b *headerBuffer) Write(p []byte) (int, error) {
	from := max(0, len(b.octets)-3)
	b.octets = append(b.octets, p...)
	if bytes.Contains(b.octets[from:], []byte("\r\n\r\n")) || len(b.octets) > b.most {
		return len(p), errEnough
	}
	return len(p), nil
}
