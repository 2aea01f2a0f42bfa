// Package bounce writes the report about a message that could not be sent to some of its
// recipients: a delivery status notification (RFC 3464).
//
// [Compose] turns a [Report] into a message, ready for the outbox like any other. It describes the
// failures in English and Chinese, with their meaning and advice (package diagnosis); repeats them
// for programs (message/delivery-status); and contains the header of the original message.
//
// Every octet is 7bit, whatever a server has replied and whatever the original message contains, so
// that no server needs extensions. The report needs SMTPUTF8 only if the address of its sender or
// recipient does.
//
// There is no report on a report, on a message without a sender, or on a message whose sender wants
// none: [ErrNoReport].
package bounce

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Report is the input of a report. The outbox's Report and Sender are required.
type Report struct {
	// Report comes from Store.Unreported: the message and its Failed or Expired recipients, at
	// least one. Used are the address, the state, the answer, Attempts, and Updated, which for
	// Failed is the time of the last attempt. The EnvelopeID of the DSN is copied. A Notify without
	// FAILURE means that no report is sent. Return is ignored: the report always contains the
	// header only.
	outbox.PendingReport
	// Sender is the account's address: it is in From, and is the envelope's sender.
	//
	// QUIRK: RFC 3464 section 2 requires the null reverse-path there. Submission servers accept
	// from an account only its own address, so a report that can't be delivered comes back to it.
	// That is no loop: nothing here reads mail.
	Sender smtp.Address
	// To is the recipient of the report; zero means the message's sender.
	To smtp.Address
	// Host is this machine's name for Reporting-MTA; "" means the domain of Sender.
	Host string
	// Provider is the id of package provider, for the meaning of replies; "" if unknown.
	Provider string
	// Text is the original message from its first octet on. Only its header is read, at most 64
	// KiB. If it is nil, the report has no part with the header and no subject of the message.
	Text io.Reader
	// Now is the date of the report; all times in the report use its zone. Zero means the current
	// time.
	Now time.Time
}

// ErrNoReport: no report is sent, because the message is a report itself, has no sender and Report.To
// is zero, or has NOTIFY without FAILURE (RFC 3461 section 4.1). It counts as reported.
var ErrNoReport = localerr.New("no report is sent: the message is itself a report, has no sender, or asked for none")

// MaxRecipients is how many recipients a report lists. It states the number of further ones.
const MaxRecipients = 1000

// Compose returns the report and its envelope. The Content is in memory: closing it is allowed but
// not needed. An error other than ErrNoReport wraps one of Report.Text, or names a missing field of
// the Report.
func Compose(r Report) (*message.Content, smtp.Envelope, error) {
	err := r.setDefaults()
	if err != nil {
		return nil, smtp.Envelope{}, err
	}
	var original message.RawHeader
	if r.Text != nil {
		original, err = message.ReadHeader(r.Text, maxHeader)
	}
	if err != nil {
		return nil, smtp.Envelope{}, localerr.Errorf("reading the header of the reported message: %w", err)
	}
	octets, err := r.encode(original)
	if err != nil {
		return nil, smtp.Envelope{}, err
	}
	content, err := message.ReadRaw(bytes.NewReader(octets))
	if err != nil {
		return nil, smtp.Envelope{}, err
	}
	envelope, err := smtp.NewEnvelope(r.Sender, r.To)
	return content, envelope, err
}

// setDefaults checks the report and sets defaults.
func (r *Report) setDefaults() error {
	if r.To.IsZero() {
		r.To = r.From
	}
	switch {
	case r.ReportOn != 0 || r.To.IsZero() || len(r.DSN.Notify) > 0 && !slices.Contains(r.DSN.Notify, "FAILURE"):
		return ErrNoReport
	case r.Sender.IsZero():
		return localerr.New("a report needs the address of the sending account")
	case len(r.Recipients) == 0:
		return localerr.New("a report needs at least one recipient")
	}
	for _, s := range r.Recipients {
		if s.State != queue.Failed && s.State != queue.Expired {
			return localerr.Errorf("there is nothing to report for a recipient in state %s", s.State)
		}
	}
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	if r.Host = hostName(r.Host); r.Host == "" {
		r.Host = "localhost"
		if domain := r.Sender.ASCIIDomain(); domain[0] != '[' {
			r.Host = domain
		}
	}
	return nil
}

// hostName removes characters that a host name can't have: a machine may have any name.
func hostName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, s), ".-")
}

// encode returns the report as it is sent. Package message writes the header and the text; its body
// becomes the first of three parts.
func (r *Report) encode(original message.RawHeader) ([]byte, error) {
	whole, err := r.composeText(original)
	if err != nil {
		return nil, err
	}
	const version = "MIME-Version: 1.0\r\n"
	head, words, ok := bytes.Cut(whole, []byte(version))
	if !ok {
		return nil, fmt.Errorf("a message without %q", version)
	}
	boundary := "=_" + rand.Text() // as in package message: no part can contain it
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(version)
	fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"%s\"\r\n\r\n", boundary)
	for _, part := range [][]byte{words, r.statusPart(), headerPart(original.Bytes())} {
		if part != nil {
			fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, part)
		}
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// composeText returns a message with the report's header and its text for people.
func (r *Report) composeText(original message.RawHeader) ([]byte, error) {
	name := subjectOf(original)
	if name == "" {
		name = cleanLine(r.MessageID, 200)
	}
	m := &message.Message{
		From:    message.Mailbox{Name: "Yan (mail delivery)", Address: r.Sender}.String(),
		To:      []string{message.Mailbox{Address: r.To}.String()},
		Subject: strings.TrimSpace("Not sent 未发出: " + name),
		Date:    r.Now,
		Text:    r.textIn(englishTexts(), original) + "\n" + strings.Repeat("-", 60) + "\n\n" + r.textIn(chineseTexts(), original),
		Headers: []message.Header{{Name: "Auto-Submitted", Value: "auto-replied"}}, // RFC 3834 section 5
	}
	if id := r.MessageID; isMessageID(id) {
		m.Headers = append(m.Headers, message.Header{Name: "In-Reply-To", Value: id}, message.Header{Name: "References", Value: id})
	}
	content, err := message.Compose(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = content.WriteTo(&b)
	return b.Bytes(), err
}

// isMessageID reports whether id is valid in References: a raw message may have any text as its
// Message-ID.
func isMessageID(id string) bool {
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	inner := id[1 : len(id)-1]
	return strings.Contains(inner, "@") && !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
}

// cleanLine turns text of others into one readable line of at most most characters.
func cleanLine(s string, most int) string {
	return excerpt.Runes(smtp.DecodeText([]byte(strings.Join(strings.Fields(s), " "))), most)
}
