package sandbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/smtp"
)

// handshake starts TLS on the connection.
func (s *serverSession) handshake() error {
	if f := s.takeFault(smtp.StageTLS); f != nil {
		switch f.Action {
		case Stall:
			return s.stall()
		case Garbage:
			if err := s.sayBytes(garbage); err != nil {
				return err
			}
			return errHangUp
		case Abort:
			return errAbort
		}
		return errCut
	}
	stream := tls.Server(s.wire.raw, s.server.tls)
	if err := s.wire.raw.SetDeadline(time.Now().Add(s.server.cfg.IdleTimeout)); err != nil {
		return err
	}
	if err := stream.HandshakeContext(context.Background()); err != nil { // limited by the deadline, ended by Close
		return fmt.Errorf("tls handshake: %w", err)
	}
	state := stream.ConnectionState()
	s.state = &state
	s.wire.useTLS(stream)
	s.update(func(c *Connection) { c.TLS, c.Resumed = true, state.DidResume })
	s.offer = s.server.profile.ehloOffer(s.server.cfg, true, s.hasClientCertificate())
	return nil
}

func (s *serverSession) hasClientCertificate() bool {
	return s.state != nil && len(s.state.VerifiedChains) > 0
}

func (s *serverSession) hello(cmd commandLine) error {
	w := s.server.profile.words
	lmtp := s.kind == lmtpPort
	if lmtp != (cmd.verb == "LHLO") {
		s.violate(smtp.StageHello, "%s where it does not belong", cmd.verb)
		return s.refuseCommand(w.unknown)
	}
	if cmd.args == "" || strings.ContainsAny(cmd.args, " \t<>") {
		s.violate(smtp.StageHello, "%s %q is no host name", cmd.verb, cmd.args)
		return s.refuseCommand(w.badSyntax)
	}
	name, helo := cmd.args, cmd.verb == "HELO"
	offered := s.server.profile.ehloOffer(s.server.cfg, s.state != nil, s.hasClientCertificate())
	previous := s.name
	s.name = name // used by fill
	if s.login == "" && s.has(DSNAfterLogin) {
		offered = offered.without("DSN")
	}
	if s.has(HangsUpOnGroup) {
		offered = offered.without("PIPELINING").without("CHUNKING").without("BINARYMIME")
	}
	answer := offered.ehloReply()
	if helo {
		answer = "250 " + offered.lines[0]
		offered.lines, offered.caps = nil, smtp.Capabilities{}
	}
	ok, err := s.respond(smtp.StageHello, answer)
	if err != nil || !ok {
		s.name = previous
		return err
	}
	s.helo, s.offer = helo, offered
	s.endTransaction()
	return nil
}

func (s *serverSession) startTLS(cmd commandLine) error {
	w := s.server.profile.words
	switch {
	case s.state != nil:
		s.violate(smtp.StageStartTLS, "STARTTLS inside TLS")
		return s.refuseCommand(w.badSequence)
	case !s.offer.caps.Has("STARTTLS"):
		s.violate(smtp.StageStartTLS, "STARTTLS was not offered")
		return s.refuseCommand(w.unknown)
	case cmd.args != "":
		s.violate(smtp.StageStartTLS, "STARTTLS takes no argument")
		return s.refuseCommand(w.badSyntax)
	}
	ok, err := s.respond(smtp.StageStartTLS, w.startTLS)
	if err != nil || !ok {
		return err
	}
	if err := s.wire.flush(); err != nil {
		return err
	}
	s.endTransaction()
	s.name, s.helo, s.login = "", false, "" // RFC 3207 section 4.2
	return s.handshake()
}

func (s *serverSession) reset() error {
	s.endTransaction()
	w := s.server.profile.words
	if s.oneReset() {
		if _, err := s.sayReply("554 5.5.0 Too many nonmail commands"); err != nil {
			return err
		}
		return errHangUp
	}
	if s.server.profile.frames && s.sent > 0 {
		// QUIRK: QQ - after a message, RSET gets the frame and the 221.
		if err := s.sayBytes(binaryFrame); err != nil {
			return err
		}
		if _, err := s.respond(smtp.StageReset, w.bye); err != nil {
			return err
		}
		return errHangUp
	}
	_, err := s.respond(smtp.StageReset, w.reset)
	return err
}

func (s *serverSession) runQuit() error {
	w := s.server.profile.words
	if s.server.profile.frames {
		if err := s.sayBytes(binaryFrame); err != nil {
			return err
		}
	}
	if _, err := s.respond(smtp.StageQuit, w.bye); err != nil {
		return err
	}
	return errHangUp
}
