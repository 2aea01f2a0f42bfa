package bounce

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// statusPart returns the part for programs (RFC 3464 section 2). It is 7bit, as the RFC requires: other
// characters are written as \x{HEX} (RFC 6533 section 3).
func (r *Report) statusPart() []byte {
	var b bytes.Buffer
	b.WriteString("Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n\r\n")
	if id := cleanLine(r.DSN.EnvelopeID, 100); id != "" {
		writeField(&b, "Original-Envelope-Id", escapeASCII(id))
	}
	writeField(&b, "Reporting-MTA", "dns; "+r.Host)
	if !r.Created.IsZero() {
		writeField(&b, "Arrival-Date", r.formatDate(r.Created))
	}
	for i, s := range r.Recipients {
		if i == MaxRecipients {
			break
		}
		b.WriteString("\r\n")
		r.writeRecipient(&b, s)
	}
	return b.Bytes()
}

// writeRecipient writes the fields of one recipient (RFC 3464 section 2.3). Original and final recipient
// are the same: no one has rewritten the address.
func (r *Report) writeRecipient(b *bytes.Buffer, s queue.Recipient) {
	address := typedAddress(s.Address)
	writeField(b, "Original-Recipient", address)
	writeField(b, "Final-Recipient", address)
	writeField(b, "Action", "failed")
	writeField(b, "Status", r.statusCode(s).String())
	switch said := answerText(s.Answer); {
	case !s.Answer.Reply.IsZero():
		writeField(b, "Diagnostic-Code", "smtp; "+escapeASCII(said))
	case said != "":
		writeField(b, "Diagnostic-Code", "x-yan; "+escapeASCII(said))
	}
	if s.State == queue.Failed && s.Attempts > 0 && !s.Updated.IsZero() {
		writeField(b, "Last-Attempt-Date", r.formatDate(s.Updated))
	}
}

func (r *Report) formatDate(t time.Time) string { return t.In(r.Now.Location()).Format(time.RFC1123Z) }

// typedAddress returns an address with its type (RFC 3464 section 2.1.2, RFC 6533 section 3). A
// domain always has an ASCII form.
func typedAddress(a smtp.Address) string {
	if !a.NeedsSMTPUTF8() {
		return "rfc822; " + a.Wire()
	}
	var b strings.Builder
	for _, r := range a.Wire() {
		if r <= ' ' || r > '~' || r == '\\' || r == '+' || r == '=' {
			fmt.Fprintf(&b, `\x{%02X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return "utf-8; " + b.String()
}

// escapeASCII converts a text to ASCII without loss.
func escapeASCII(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' || r > '~' || r == '\\' {
			fmt.Fprintf(&b, `\x{%02X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// maxAnswer bounds the text of an answer, in characters.
const maxAnswer = 1000

// answerText returns the server's reply or, without one, the local error.
func answerText(a queue.Answer) string {
	if a.Reply.IsZero() {
		return cleanLine(a.Err, maxAnswer)
	}
	return cleanLine(a.Reply.String(), maxAnswer)
}

// statusCode returns the status code (RFC 3463): the server's, or one derived from its reply.
func (r *Report) statusCode(s queue.Recipient) smtp.EnhancedCode {
	reply := s.Answer.Reply
	switch {
	case s.State == queue.Expired:
		return smtp.EnhancedCode{Class: 4, Subject: 4, Detail: 7} // section 3.5: delivery time expired
	case reply.Enhanced.Class == 4 || reply.Enhanced.Class == 5:
		return reply.Enhanced
	}
	code := smtp.EnhancedCode{Class: 5}
	if reply.Transient() { // of a kind that is permanent all the same
		code.Class = 4
	}
	switch r.explain(s).class {
	case diagnosis.ClassRecipientInvalid:
		code.Subject, code.Detail = 1, 1 // bad destination mailbox address
	case diagnosis.ClassAddressSyntax:
		code.Subject, code.Detail = 1, 3 // bad destination mailbox address syntax
	case diagnosis.ClassSenderUnverified, diagnosis.ClassSenderMismatch:
		code.Subject, code.Detail = 1, 8 // bad sender's system address
	case diagnosis.ClassRecipientFull:
		code.Subject, code.Detail = 2, 2 // mailbox full
	case diagnosis.ClassTooLarge:
		code.Subject, code.Detail = 3, 4 // message too big for system
	case diagnosis.ClassTooManyRecipients:
		code.Subject, code.Detail = 5, 3 // too many recipients
	case diagnosis.ClassMessageMalformed, diagnosis.ClassBadAttachment:
		code.Subject = 6 // other or undefined media error
	case diagnosis.ClassContentRejected, diagnosis.ClassRecipientRejects, diagnosis.ClassAdminPolicy, diagnosis.ClassDomainAuth,
		diagnosis.ClassIPReputation, diagnosis.ClassAccountBlocked:
		code.Subject, code.Detail = 7, 1 // delivery not authorized, message refused
	}
	return code
}

// writeField writes a field, folded at blanks, or inside a word if the line would otherwise be longer
// than mail allows.
func writeField(b *bytes.Buffer, name, value string) {
	const usual, most = 76, 900
	b.WriteString(name + ":")
	length := len(name) + 1
	for word := range strings.FieldsSeq(value) {
		for len(word) > most {
			b.WriteString("\r\n " + word[:most])
			length, word = most, word[most:]
		}
		if length+1+len(word) > usual && length > len(name)+1 {
			b.WriteString("\r\n")
			length = 0
		}
		b.WriteString(" " + word)
		length += 1 + len(word)
	}
	b.WriteString("\r\n")
}
