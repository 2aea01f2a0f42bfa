package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// maxTextLine is RFC 5321 section 4.5.3.1.6, CRLF included.
const maxTextLine = 1000

// dotReader reads the message after DATA. Only CRLF.CRLF ends it: a lone LF
// before or after the dot is content; otherwise a second message could be
// smuggled in.
type dotReader struct {
	wire      *serverConn
	inLine    bool // the last octets did not end with CRLF
	lastCR    bool // the last octet was CR
	unstuffed bool // the last line began with a dot that was not doubled
}

// next returns the next octets, valid until the next call, or end.
func (r *dotReader) next() (part []byte, end bool, err error) {
	part, err = r.wire.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	crlf := bytes.HasSuffix(part, []byte("\r\n")) || r.lastCR && len(part) == 1 && part[0] == '\n'
	if !r.inLine && part[0] == '.' {
		if string(part) == ".\r\n" {
			return nil, true, nil
		}
		part = part[1:]
		r.unstuffed = part[0] != '.'
	}
	r.inLine = !crlf
	r.lastCR = part[len(part)-1] == '\r'
	return part, false, nil
}

// checkData checks the message against its declared parameters and returns the
// violations; none for a valid message.
func checkData(data []byte, p params) []string {
	var wrong []string
	body := strings.ToUpper(p["BODY"])
	_, utf8 := p["SMTPUTF8"]
	if body == "BINARYMIME" {
		return nil
	}
	if body != "8BITMIME" {
		part := data
		if utf8 { // RFC 6531 section 3.6 allows it in the header
			if end := bytes.Index(data, []byte("\r\n\r\n")); end >= 0 {
				part = data[end:]
			}
		}
		for i, c := range part {
			if c >= 0x80 {
				wrong = append(wrong, fmt.Sprintf("8-bit data at octet %d without BODY=8BITMIME", len(data)-len(part)+i))
				break
			}
		}
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		wrong = append(wrong, fmt.Sprintf("NUL at octet %d", i))
	}
	return append(wrong, checkLines(data)...)
}

// checkLines returns the first bare CR, the first bare LF and the first line
// that is too long.
func checkLines(data []byte) []string {
	var bareCR, bareLF, long string
	for at := 0; at < len(data); {
		end := bytes.IndexByte(data[at:], '\n')
		if end < 0 {
			end = len(data) - at - 1
		}
		line := data[at : at+end+1]
		text, lf := bytes.CutSuffix(line, []byte("\n"))
		text, crlf := bytes.CutSuffix(text, []byte("\r"))
		if lf && !crlf && bareLF == "" {
			bareLF = fmt.Sprintf("bare LF at octet %d", at+end)
		}
		if i := bytes.IndexByte(text, '\r'); i >= 0 && bareCR == "" {
			bareCR = fmt.Sprintf("bare CR at octet %d", at+i)
		}
		if !lf && crlf && bareCR == "" {
			bareCR = fmt.Sprintf("bare CR at octet %d", at+end)
		}
		if len(line) > maxTextLine && long == "" {
			long = fmt.Sprintf("a line of %d octets at octet %d", len(line), at)
		}
		at += end + 1
	}
	var wrong []string
	for _, w := range []string{bareCR, bareLF, long} {
		if w != "" {
			wrong = append(wrong, w)
		}
	}
	return wrong
}

// finishMessage checks a complete message, keeps it and answers. The caller ends the
// transaction.
func (s *serverSession) finishMessage(fault *Fault) error {
	s.remark(fmt.Sprintf("message of %d octets", len(s.mail.data)))
	answer := s.judgeMessage()
	if s.kind == lmtpPort {
		return s.finishLMTP(fault, answer)
	}
	if fault.forcesSuccess() || answer == "" && !fault.isRefusal() {
		if err := s.keepMessage(s.mail.to); err != nil {
			return s.storeFailed(err)
		}
	}
	if answer == "" {
		answer = s.server.profile.words.queued
	}
	_, err := s.performFault(fault, smtp.StageBody, answer)
	return err
}

// finishLMTP writes one reply for each recipient, RFC 2033 section 4.2. The
// fault applies to the first recipient that has none of its own.
func (s *serverSession) finishLMTP(next *Fault, answer string) error {
	if answer == "" {
		answer = s.server.profile.words.queued
	}
	for _, to := range s.mail.to {
		fault := to.fault
		if fault == nil {
			if fault = next; fault == nil {
				fault = s.takeFault(smtp.StageBody)
			}
			next = nil
		}
		if fault.forcesSuccess() || answer[0] == '2' && !fault.isRefusal() {
			if err := s.keepMessage([]acceptedRecipient{to}); err != nil {
				return s.storeFailed(err)
			}
		}
		if _, err := s.performFault(fault, smtp.StageBody, answer); err != nil {
			return err
		}
	}
	return nil
}

func (s *serverSession) storeFailed(err error) error {
	s.remark("cannot keep the message: " + err.Error())
	_, err = s.sayReply("451 4.3.0 The sandbox cannot keep the message")
	return err
}

// judgeMessage returns the refusal of a message, or "" if it is accepted.
func (s *serverSession) judgeMessage() string {
	w := s.server.profile.words
	if s.mail.tooLarge {
		return w.tooLarge
	}
	if len(s.mail.to) == 0 {
		return w.noRecipients // after a forced 354
	}
	if reply, greeting := s.oneTooMany(); reply != "" && !greeting {
		return reply
	}
	if wrong := checkData(s.mail.data, s.mail.params); len(wrong) > 0 {
		for _, text := range wrong {
			s.violate(smtp.StageBody, "%s", text)
		}
		return w.badContent
	}
	if s.senderRule() == SenderAtBody && !s.ownsSender(s.mail.from) {
		return w.badSender
	}
	header := readHeader(s.mail.data)
	if check := s.server.profile.checkMessage; check != nil {
		if refusal := check(header, s.mail.from, w); refusal != "" {
			return refusal
		}
	}
	if s.senderRule() == SenderAtHeader {
		if from, ok := header.fromAddress(); ok && !s.ownsSender(from) {
			return w.badSender
		}
	}
	return ""
}

// keepMessage takes responsibility for the message to these recipients. An address
// that was given twice gets it once, as with real servers.
func (s *serverSession) keepMessage(recipients []acceptedRecipient) error {
	m := Message{Conn: s.id, ID: s.mail.id, Time: s.server.cfg.Now(), TLS: s.state != nil, Login: s.login, From: s.mail.from,
		MailParams: s.mail.params, Chunked: s.mail.chunked, Data: s.mail.data}
	for _, to := range recipients {
		if slices.Contains(m.To, to.address) {
			m.Repeated++
			continue
		}
		m.To = append(m.To, to.address)
		m.RcptParams = append(m.RcptParams, to.params)
	}
	if err := s.server.store.keepMessage(m); err != nil {
		return err
	}
	s.sent++
	s.cleared = false
	s.server.rate.add(m.Time)
	s.update(func(c *Connection) { c.Messages++ })
	return nil
}
