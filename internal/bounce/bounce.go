// Package bounce writes the report about a message that could not be handed over to
// some of its recipients: a delivery status notification (RFC 3464).
//
// [Compose] makes one of a [Report], ready to be kept in the outbox like any other
// message. It has what happened in words, in English and Chinese, with what the
// failure means and what to do (package diagnosis); the same for programs
// (message/delivery-status); and the header of the message that it is about.
//
// Every octet of it is 7bit, whatever a server has answered and whatever stood in the
// message, so that no server needs to be able to do anything. Only an address that
// needs SMTPUTF8 itself, of who reports or is told, makes the report need it.
//
// There is no report on a report, nor on a message without a sender, nor on one whose
// sender wants none: [ErrNobody].
package bounce

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/excerpt"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Report is what is told, to whom, and by whom. The outbox's Report and Sender have to
// be there.
type Report struct {
	// Report is what Store.Unreported gives: the message, and its recipients that are
	// Failed or Expired; at least one. Of each the address, the state, the answer,
	// Attempts, and Updated, which for Failed is the time of the last try. The EnvelopeID
	// of its DSN comes back, and with a Notify that has not FAILURE nobody is told; Return
	// is not looked at: it is the header that comes back.
	outbox.Report
	// Sender is the account's address: it stands in From, and is the envelope's sender.
	//
	// QUIRK: RFC 3464 section 2 wants the null reverse-path there. Submission servers
	// take nothing from an account but its own address, so that a report that can't be
	// delivered comes back to it. That is no loop: nothing here reads mail.
	Sender smtp.Address
	// To is who is told; zero means the message's sender.
	To smtp.Address
	// Host is the name of this machine, for Reporting-MTA; "" means the domain of
	// Sender.
	Host string
	// Provider is the id of package provider, for the meaning of replies; "" when it
	// is not known.
	Provider string
	// Text is the message from its first octet on, of which no more is read than the
	// header, and of that 64 KiB. nil when it is gone: the report has no part with the
	// header then, and no subject of the message.
	Text io.Reader
	// Now is the date of the report, and its zone that of all times in it; zero means
	// the present.
	Now time.Time
}

// ErrNobody: nobody is to be told, for the message is a report itself, has no sender
// and Report.To is zero, or asked for silence (RFC 3461 section 4.1). It counts as
// reported.
var ErrNobody = sentence.New("nobody is told: the message is itself a report, has no sender, or asked for silence")

// MaxRecipients is how many recipients a report tells of one by one. How many there
// are beyond is said in words.
const MaxRecipients = 1000

// Compose makes the report and its envelope. The Content is in memory: closing it is
// fine and not needed. An error that is not ErrNobody wraps one of Report.Text, or says
// what the Report lacks.
func Compose(r Report) (*message.Content, smtp.Envelope, error) {
	err := r.complete()
	if err != nil {
		return nil, smtp.Envelope{}, err
	}
	var original message.RawHeader
	if r.Text != nil {
		original, err = message.ReadHeader(r.Text, maxHeader)
	}
	if err != nil {
		return nil, smtp.Envelope{}, sentence.Errorf("reading the header of the message that is reported on: %w", err)
	}
	octets, err := r.octets(original)
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

// complete checks the report and fills in what was left to choose.
func (r *Report) complete() error {
	if r.To.IsZero() {
		r.To = r.From
	}
	switch {
	case r.ReportOn != 0 || r.To.IsZero() || len(r.DSN.Notify) > 0 && !slices.Contains(r.DSN.Notify, "FAILURE"):
		return ErrNobody
	case r.Sender.IsZero():
		return sentence.New("a report needs the address of the account that sends it")
	case len(r.Recipients) == 0:
		return sentence.New("a report needs a recipient to tell of")
	}
	for _, s := range r.Recipients {
		if s.State != queue.Failed && s.State != queue.Expired {
			return sentence.Errorf("there is nothing to report on a recipient that is %s", s.State)
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

// hostName keeps of a name what is one: a machine may be called anything.
func hostName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, s), ".-")
}

// octets is the report as it travels. Package message writes header and words; what it
// made a message of becomes the first part of three.
func (r *Report) octets(original message.RawHeader) ([]byte, error) {
	whole, err := r.words(original)
	if err != nil {
		return nil, err
	}
	const version = "MIME-Version: 1.0\r\n"
	head, words, ok := bytes.Cut(whole, []byte(version))
	if !ok {
		return nil, fmt.Errorf("a message without %q", version)
	}
	boundary := "=_" + rand.Text() // as in package message: no part can hold it
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(version)
	fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"%s\"\r\n\r\n", boundary)
	for _, part := range [][]byte{words, r.status(), headerPart(original.Bytes())} {
		if part != nil {
			fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, part)
		}
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// words is a message of the report's header and what it says to people.
func (r *Report) words(original message.RawHeader) ([]byte, error) {
	name := subjectOf(original)
	if name == "" {
		name = clean(r.MessageID, 200)
	}
	m := &message.Message{
		From:    message.Mailbox{Name: "Yan (mail delivery)", Address: r.Sender}.String(),
		To:      []string{message.Mailbox{Address: r.To}.String()},
		Subject: strings.TrimSpace("Not sent 未发出: " + name),
		Date:    r.Now,
		Text:    r.text(english(), original) + "\n" + strings.Repeat("-", 60) + "\n\n" + r.text(chinese(), original),
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

// isMessageID tells what may stand in References: a raw message may have anything as its
// Message-ID.
func isMessageID(id string) bool {
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	inner := id[1 : len(id)-1]
	return strings.Contains(inner, "@") && !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
}

// clean makes one line of what others wrote, fit to be read, and no longer than most
// characters.
func clean(s string, most int) string {
	return excerpt.Runes(smtp.DecodeText([]byte(strings.Join(strings.Fields(s), " "))), most)
}
