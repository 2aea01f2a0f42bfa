package sandbox

import (
	"io"

	"github.com/yanmail/yan/smtp"
)

func (s *serverSession) runBDAT(cmd commandLine) error {
	w := s.server.profile.words
	size, last, err := parseChunk(cmd.args)
	if err != nil || !s.offer.caps.Has("CHUNKING") {
		s.violate(smtp.StageData, "BDAT %s: malformed, or CHUNKING was not offered", cmd.args)
		if err := s.refuseCommand(w.unknown); err != nil {
			return err
		}
		return errHangUp // the end of the chunk is unknown
	}
	fault := s.takeFault(smtp.StageData)
	usable := s.mail.open && len(s.mail.to) > 0 && !s.mail.spoiled
	if !usable && s.has(ReadsRefusedChunk) {
		s.remark("quirk " + string(ReadsRefusedChunk))
		return s.refuseCommand(w.badSequence)
	}
	if err := s.receiveChunk(size, usable); err != nil {
		return err
	}
	answer := w.chunkOK
	switch {
	case !s.mail.open:
		answer = w.badSequence
	case !usable:
		answer = w.noRecipients
	case s.mail.tooLarge:
		answer = w.tooLarge
	case last && (fault == nil || fault.actionHappens()):
		s.mail.chunked = true
		return s.finishChunks(fault)
	}
	s.mail.chunked = true
	ok, err := s.performFault(fault, smtp.StageData, answer)
	if !ok {
		s.mail.spoiled = true
	}
	if last {
		s.endChunks(false)
	}
	return err
}

// finishChunks is finish for BDAT LAST. A fault of stage data that only
// disturbs the transport of the reply applies to the message's own reply.
func (s *serverSession) finishChunks(fault *Fault) error {
	if fault == nil {
		fault = s.takeFault(smtp.StageBody)
	}
	before := s.sent
	err := s.finishMessage(fault)
	s.endChunks(s.sent > before)
	return err
}

// receiveChunk reads all octets of a BDAT, even if they are discarded, so that
// they are not taken for commands.
func (s *serverSession) receiveChunk(size int64, usable bool) error {
	midway := s.takeMidway()
	s.wire.chunk = true
	defer func() { s.wire.chunk = false }()
	if s.mail.tooLarge || !s.mail.chunked {
		s.mail.chunk = 0
	}
	buf := make([]byte, min(size, 32<<10))
	for left := size; left > 0; {
		part := buf[:min(left, int64(len(buf)))]
		if midway != nil {
			part = part[:min(int64(len(part)), max(midway.Octets-int64(len(s.mail.data)), 1))]
		}
		n, err := io.ReadFull(s.wire.in, part)
		if err != nil {
			return midMessageError(err)
		}
		left -= int64(n)
		if !usable {
			continue
		}
		if err := s.addOctets(part, midway); err != nil {
			return err
		}
	}
	s.mail.chunk = size
	return nil
}
