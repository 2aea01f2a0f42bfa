package sandbox

import (
	"errors"
	"io"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// hardLimit limits a message if the provider announces no SIZE, in octets;
// maxExcess is how many octets beyond a limit are read before the server hangs
// up.
const (
	hardLimit = 256 << 20
	maxExcess = 16 << 20
)

// mailTransaction is one message, from MAIL to the reply to its end.
type mailTransaction struct {
	open     bool
	from     string
	params   params
	to       []acceptedRecipient
	refused  int // recipients
	faults   *faultQueue
	id       string
	chunked  bool  // a BDAT has come
	spoiled  bool  // a BDAT failed: every command until RSET fails too
	chunk    int64 // octets of the last BDAT
	data     []byte
	tooLarge bool
}

type acceptedRecipient struct {
	address string
	params  params
	fault   *Fault // LMTP: for this recipient's reply at the end
}

// endTransaction drops the message and the faults that were meant for it.
func (s *serverSession) endTransaction() {
	s.mail = mailTransaction{faults: newFaultQueue(nil)}
}

func (s *serverSession) mailFrom(cmd commandLine) error {
	p, err := parsePath(cmd.args, "FROM")
	if err != nil {
		s.violate(smtp.StageMail, "MAIL %s: %v", cmd.args, err)
	}
	if f, found, ferr := magicFault(p.local); found && err == nil {
		if ferr != nil {
			return s.refuseCommand("501 " + ferr.Error())
		}
		s.armFault(f, smtp.StageMail)
	}
	fault := s.takeFault(smtp.StageMail)
	s.mails++
	if !s.mail.open {
		s.mail.id = s.server.nextQueueID()
	}
	answer := s.server.profile.words.mailOK
	if refusal := s.refuseMail(p, err); refusal != "" {
		answer = refusal
	}
	ok, err := s.performFault(fault, smtp.StageMail, answer)
	if err != nil || !ok {
		return err
	}
	// A magic sender may have armed faults for later stages.
	s.mail = mailTransaction{open: true, from: p.address, params: p.params, faults: s.mail.faults, id: s.mail.id}
	return nil
}

// refuseMail returns the reply to a MAIL that is refused, else "".
func (s *serverSession) refuseMail(p path, malformed error) string {
	w := s.server.profile.words
	slips(s, smtp.StageMail, p)
	switch {
	case s.name == "":
		s.violate(smtp.StageMail, "MAIL before EHLO")
		return w.badSequence
	case s.mail.open:
		s.violate(smtp.StageMail, "MAIL inside a transaction")
		return w.badSequence
	}
	if s.needsAuth() && s.login == "" {
		if s.state == nil && !s.server.profile.cleartextAuth && !s.server.cfg.AllowCleartextPassword {
			return w.tlsRequired
		}
		return w.authRequired
	}
	if malformed != nil {
		return w.badSyntax
	}
	if refusal := s.tooManyMessages(); refusal != "" {
		return refusal
	}
	size, err := checkMailParams(p.params, s.offer.caps)
	if err != nil {
		s.violate(smtp.StageMail, "MAIL: %v", err)
		return w.badParam
	}
	_, utf8 := p.params["SMTPUTF8"]
	if p.address != "" {
		if err := checkAddress(p.address, utf8); err != nil {
			s.violate(smtp.StageMail, "MAIL FROM:<%s>: %v", p.address, err)
			return w.badAddress
		}
	}
	if limit := s.server.maxSize(); limit > 0 && size > limit {
		return w.tooLarge
	}
	if rule := s.senderRule(); (rule == SenderAtMail || rule == SenderAtHeader) && !s.ownsSender(p.address) {
		return w.badSender
	}
	return ""
}

func slips(s *serverSession, stage smtp.Stage, p path) {
	for _, slip := range p.slips {
		s.violate(stage, "%s", slip)
	}
}

func (s *serverSession) needsAuth() bool {
	return s.kind != lmtpPort && (s.server.profile.needsAuth || s.server.cfg.RequireAuth)
}

func (s *serverSession) rcptTo(cmd commandLine) error {
	p, err := parsePath(cmd.args, "TO")
	if err != nil {
		s.violate(smtp.StageRcpt, "RCPT %s: %v", cmd.args, err)
	}
	to := acceptedRecipient{address: p.address, params: p.params}
	if f, found, ferr := magicFault(p.local); found && err == nil && s.mail.open {
		if ferr != nil {
			s.mail.refused++
			return s.refuseCommand("501 " + ferr.Error())
		}
		if s.kind == lmtpPort && f.Stage == smtp.StageBody {
			to.fault = &f
		} else {
			s.armFault(f, smtp.StageRcpt)
		}
	}
	fault := s.takeFault(smtp.StageRcpt)
	answer := s.server.profile.words.rcptOK
	if refusal := s.refuseRcpt(p, err); refusal != "" {
		answer = refusal
	}
	ok, err := s.performFault(fault, smtp.StageRcpt, answer)
	if err != nil {
		return err
	}
	if ok && s.mail.open {
		s.mail.to = append(s.mail.to, to)
	} else {
		s.mail.refused++
	}
	return nil
}

func (s *serverSession) refuseRcpt(p path, malformed error) string {
	w := s.server.profile.words
	slips(s, smtp.StageRcpt, p)
	if !s.mail.open {
		// A pipelining client has already sent these when MAIL is refused.
		if !s.offer.caps.Has("PIPELINING") {
			s.violate(smtp.StageRcpt, "RCPT without MAIL")
		}
		return w.badSequence
	}
	if s.mail.chunked {
		s.violate(smtp.StageRcpt, "RCPT after BDAT")
		return w.badSequence
	}
	if malformed != nil {
		return w.badSyntax
	}
	if err := checkRcptParams(p.params, s.offer.caps); err != nil {
		s.violate(smtp.StageRcpt, "RCPT: %v", err)
		return w.badParam
	}
	_, utf8 := s.mail.params["SMTPUTF8"]
	if err := checkAddress(p.address, utf8); err != nil && !strings.EqualFold(p.address, "postmaster") {
		s.violate(smtp.StageRcpt, "RCPT TO:<%s>: %v", p.address, err)
		return w.badAddress
	}
	if s.senderRule() == SenderAtRcpt && !s.ownsSender(s.mail.from) {
		return w.badSender
	}
	return s.tooManyRecipients(p.address)
}

func (s *serverSession) runData(cmd commandLine) error {
	w := s.server.profile.words
	answer := w.dataGo
	switch {
	case cmd.args != "":
		s.violate(smtp.StageData, "DATA takes no argument")
		answer = w.badSyntax
	case s.mail.chunked:
		s.violate(smtp.StageData, "DATA after BDAT")
		answer = w.badSequence
	case strings.EqualFold(s.mail.params["BODY"], "BINARYMIME"):
		s.violate(smtp.StageData, "DATA for a message of BODY=BINARYMIME")
		answer = w.badSequence
	case !s.mail.open || len(s.mail.to) == 0:
		// Not a violation: a pipelining client sent DATA before it knew.
		answer = w.noRecipients
	}
	ok, err := s.respond(smtp.StageData, answer)
	if err != nil || !ok {
		return err
	}
	if err := s.receiveData(); err != nil {
		return err
	}
	if err := s.afterDot(); err != nil {
		return err
	}
	err = s.finishMessage(s.takeFault(smtp.StageBody))
	s.endTransaction()
	return err
}

// receiveData reads the message after a 354, up to the final dot.
func (s *serverSession) receiveData() error {
	midway := s.takeMidway()
	r := dotReader{wire: s.wire}
	for {
		part, end, err := r.next()
		if err != nil {
			return midMessageError(err)
		}
		if r.unstuffed {
			r.unstuffed = false
			s.violate(smtp.StageBody, "a line begins with a dot that was not doubled")
		}
		if end {
			return nil
		}
		if err := s.addOctets(part, midway); err != nil {
			return err
		}
	}
}

// midMessageError maps the end of a connection in the middle of a message: a client
// that can't continue must do that, so it is no violation.
func midMessageError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// addOctets appends octets to the message. Octets beyond the limit are read and
// dropped, up to maxExcess, then the server hangs up.
func (s *serverSession) addOctets(part []byte, midway *Fault) error {
	limit := s.server.maxSize()
	if limit == 0 {
		limit = hardLimit
	}
	if midway != nil && int64(len(s.mail.data)+len(part)) >= midway.Octets {
		return s.performMidway(midway)
	}
	s.mail.chunk += int64(len(part))
	if int64(len(s.mail.data)+len(part)) <= limit && !s.mail.tooLarge {
		s.mail.data = append(s.mail.data, part...)
		return nil
	}
	s.mail.tooLarge = true
	s.mail.data = nil
	if s.mail.chunk > limit+maxExcess {
		if _, err := s.sayReply(s.fillPlaceholders(s.server.profile.words.tooLarge)); err != nil {
			return err
		}
		return errHangUp
	}
	return nil
}

// performMidway performs a fault in the middle of a message. A reply there ends the
// connection, because the client does not know where the server stopped
// reading.
func (s *serverSession) performMidway(f *Fault) error {
	switch f.Action {
	case Stall:
		return s.stallUnread()
	case Abort:
		return errAbort
	case Garbage:
		if err := s.sayBytes(garbage + "\r\n"); err != nil {
			return err
		}
		return errHangUp
	case Reply:
		if _, err := s.sayReply(f.replyLine()); err != nil {
			return err
		}
		return errHangUp
	}
	return errCut
}
