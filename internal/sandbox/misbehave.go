package sandbox

import (
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yanmail/yan/smtp"
)

// binaryFrame is the frame that QQ sends before its last 221: a length of 26
// (16 for the frame, 10 for "221 Bye.\r\n"), a length of 10, and zeros.
const binaryFrame = "\x00\x00\x00\x1a\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00"

// garbage is neither SMTP nor a TLS record, and contains no line end.
const garbage = "\xff\xfe\x00\x01garbage\x80\x81\x00\x7f\x1b[2J"

// takeFault returns the fault for a stage: first one of this transaction, then one
// of this connection, then one of the server.
func (s *serverSession) takeFault(stage smtp.Stage) *Fault { return s.findFault(stage, false) }

// takeMidway returns the fault for the middle of a message.
func (s *serverSession) takeMidway() *Fault { return s.findFault(smtp.StageData, true) }

func (s *serverSession) findFault(stage smtp.Stage, midway bool) *Fault {
	for _, queue := range []*faultQueue{s.mail.faults, s.faults, s.server.faults} {
		if f := queue.takeFault(stage, midway); f != nil {
			s.remark("fault " + f.String())
			return f
		}
	}
	return nil
}

// armFault stores a magic word, received at stage now, where its stage will look for
// it: in the transaction, in the connection, or, for an earlier stage, in the
// server, where the next connection finds it.
func (s *serverSession) armFault(f Fault, now smtp.Stage) {
	switch f.Stage {
	case smtp.StageRcpt, smtp.StageData, smtp.StageBody:
		s.mail.faults.addFault(f)
	case smtp.StageReset, smtp.StageQuit, now:
		s.faults.addFault(f)
	default:
		s.server.faults.addFault(f)
	}
}

// respond sends the answer of a stage, or applies the stage's fault to it. ok
// reports whether the client got a positive reply.
func (s *serverSession) respond(stage smtp.Stage, answer string) (ok bool, err error) {
	return s.performFault(s.takeFault(stage), stage, answer)
}

// performFault is respond with a fault that has already been taken.
func (s *serverSession) performFault(f *Fault, stage smtp.Stage, answer string) (ok bool, err error) {
	answer = s.fillPlaceholders(answer)
	if f == nil {
		return s.sayReply(answer)
	}
	code := answer[:3]
	switch f.Action {
	case Reply:
		return s.sayReply(f.replyLine())
	case Stall:
		return false, s.stall()
	case Cut:
		return false, errCut
	case Abort:
		return false, errAbort
	case Garbage:
		return false, s.sayBytes(garbage + "\r\n")
	case Drip:
		return answer[0] < '4', s.drip(answer)
	case Endless:
		return false, s.endless(code)
	case Mixed:
		return false, s.sayBytes(code + "-first line\r\n" + otherCode(code) + "-second line\r\n" + code + " last line\r\n")
	case GBK:
		return false, s.sayGBK(stage)
	case Frame:
		if err := s.sayBytes(binaryFrame); err != nil {
			return false, err
		}
		return s.sayReply(answer)
	case Half:
		half, _, _ := strings.Cut(answer, "\n")
		if err := s.sayBytes(half[:(len(half)+1)/2]); err != nil {
			return false, err
		}
		return false, errHangUp
	case Inject:
		if _, err := s.sayReply(answer); err != nil {
			return false, err
		}
		return true, s.sayBytes("250-injected.example\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1\r\n")
	}
	if f.Action.refusesLogin() {
		return s.sayReply(s.fillPlaceholders(s.server.profile.loginRefusal(f.Action)))
	}
	return false, fmt.Errorf("fault %s has no action", f)
}

// sayReply sends a whole reply; after a 421 the server closes the connection.
func (s *serverSession) sayReply(reply string) (ok bool, err error) {
	if !s.offer.caps.Has("ENHANCEDSTATUSCODES") && s.withholds("ENHANCEDSTATUSCODES") {
		reply = withoutEnhanced(reply)
	}
	if err := s.wire.queueReply(reply); err != nil {
		return false, err
	}
	if s.has(RepliesApart) {
		if err := s.wire.flush(); err != nil {
			return false, err
		}
	}
	if strings.HasPrefix(reply, "421") && !s.has(ReadsOnAfter421) {
		return false, errHangUp
	}
	return reply[0] < '4', nil
}

// withoutEnhanced removes the enhanced codes from a reply.
func withoutEnhanced(reply string) string {
	lines := strings.Split(reply, "\n")
	for i, line := range lines {
		if len(line) > 4 {
			if _, rest, ok := smtp.CutEnhancedCode(line[4:]); ok {
				lines[i] = line[:4] + rest
			}
		}
	}
	return strings.Join(lines, "\n")
}

// replyLine returns the text of a Reply fault.
func (f Fault) replyLine() string {
	text := f.Text
	if text == "" {
		text = "As asked for by " + f.String()
	}
	if !f.Enhanced.IsZero() {
		text = f.Enhanced.String() + " " + text
	}
	return fmt.Sprintf("%d %s", f.Code, text)
}

func (s *serverSession) sayBytes(b string) error {
	s.wire.log(FromServer, fmt.Sprintf("%q", b))
	_, err := s.wire.out.WriteString(b)
	return err
}

// sayGBK refuses in the encoding of QQ's older servers.
func (s *serverSession) sayGBK(stage smtp.Stage) error {
	code := "550"
	if stage == smtp.StageAuth {
		code = "535"
	}
	text, err := simplifiedchinese.GBK.NewEncoder().String("请使用授权码登录。")
	if err != nil {
		return fmt.Errorf("encode a reply in GBK: %w", err)
	}
	return s.sayBytes(code + " Error: " + text + "\r\n")
}

// drip sends the reply with one write for each byte.
func (s *serverSession) drip(reply string) error {
	if err := s.wire.flush(); err != nil {
		return err
	}
	for i, b := range []byte(strings.ReplaceAll(reply, "\n", "\r\n") + "\r\n") {
		if i > 0 && s.server.cfg.Pace != nil {
			s.server.cfg.Pace()
		}
		if err := s.wire.out.WriteByte(b); err != nil {
			return err
		}
		if err := s.wire.flush(); err != nil {
			return err
		}
	}
	s.wire.log(FromServer, reply)
	return nil
}

// endless sends continuation lines until the client disconnects or the limit is
// reached.
func (s *serverSession) endless(code string) error {
	line := code + "-" + strings.Repeat("and so on ", 10) + "\r\n"
	for sent := 0; sent < maxEndless; sent += len(line) {
		if _, err := s.wire.out.WriteString(line); err != nil {
			return err
		}
	}
	return errHangUp
}

// stall sends no answer until the client disconnects or the server is closed.
func (s *serverSession) stall() error {
	if err := s.wire.flush(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, s.wire.stream)
	if err == nil {
		err = io.EOF
	}
	return err
}

// stallUnread is a stall that does not read either, so that the client's writes
// block once all buffers are full.
func (s *serverSession) stallUnread() error {
	if err := s.wire.flush(); err != nil {
		return err
	}
	if tcp, ok := s.wire.raw.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // optional: with a smaller buffer the writes block sooner
	}
	<-s.server.closed
	return errCut
}

// otherCode returns a code of another class.
func otherCode(code string) string {
	if code[0] == '5' {
		return "250"
	}
	return "550"
}
