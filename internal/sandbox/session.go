package sandbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/smtp"
)

// portKind is the protocol of a listener.
type portKind int

const (
	submissionPort portKind = iota
	tlsPort
	lmtpPort
)

// Limits of RFC 5321 section 4.5.3.1.4 (with room for the parameters of
// extensions) and RFC 4954 section 4, in octets.
const (
	maxCommandLine = 2048
	maxAuthLine    = 12288
	maxErrors      = 100 // refused commands before the server hangs up
)

// serverSession is one connection.
type serverSession struct {
	server *Server
	id     int
	kind   portKind
	wire   *serverConn
	stats  *Connection
	faults *faultQueue

	name   string // of EHLO; "" before it
	helo   bool   // HELO rather than EHLO
	offer  offer
	state  *tls.ConnectionState // nil without TLS
	login  string
	mail   mailTransaction
	sent   int // messages accepted
	mails  int // MAIL commands
	errors int
	// early counts the buffered octets that came too early. resets counts RSETs
	// in a row without an accepted message; cleared is true after the first.
	early, resets int
	cleared       bool

	excess bool // the connection was beyond ConnectionsAtOnce when it came
}

func newSession(server *Server, raw net.Conn, kind portKind, id int) *serverSession {
	s := &serverSession{server: server, id: id, kind: kind, wire: newConn(raw, server.cfg.IdleTimeout),
		stats: server.store.connect(id), faults: newFaultQueue(nil)}
	s.mail.faults = newFaultQueue(nil)
	if tcp, ok := raw.(*net.TCPConn); ok && s.has(RepliesApart) {
		_ = tcp.SetNoDelay(false) // with Nagle's algorithm, as the quirk requires
	}
	s.wire.turn = func() { s.update(func(c *Connection) { c.Turns++ }) }
	s.wire.log = func(side Side, text string) { server.logger.event(id, side, text) }
	return s
}

func (s *serverSession) update(change func(*Connection)) {
	s.server.store.updateConnection(func() { change(s.stats) })
}

func (s *serverSession) remark(text string) { s.wire.log(Remark, text) }

// violate records a violation of the rules by the client.
func (s *serverSession) violate(stage smtp.Stage, format string, args ...any) {
	v := Violation{Conn: s.id, Stage: stage, Text: fmt.Sprintf(format, args...)}
	s.server.store.violation(v)
	s.remark("violation: " + v.Text)
}

// run serves the connection until it ends.
func (s *serverSession) run() {
	err := s.serve()
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !s.server.isClosed() {
		if s.wire.queueReply(s.fillPlaceholders(s.server.profile.words.busy)) == nil {
			err = errHangUp
		}
	}
	s.remark("closed: " + err.Error())
	s.wire.closeFor(err)
	s.update(func(c *Connection) { c.Open = false })
}

func (s *serverSession) serve() error {
	if err := s.passConnect(); err != nil {
		return err
	}
	if s.kind == tlsPort {
		if err := s.handshake(); err != nil {
			return err
		}
	}
	if s.wire.raw == s.wire.stream {
		s.offer = s.server.profile.ehloOffer(s.server.cfg, false, false)
	}
	if err := s.greet(); err != nil {
		return err
	}
	for {
		if err := s.runCommand(); err != nil {
			return err
		}
	}
}

func (s *serverSession) greet() error {
	if reply, here := s.oneTooMany(); here {
		if _, err := s.sayReply(s.fillPlaceholders(reply)); err != nil {
			return err
		}
		return errHangUp
	}
	_, err := s.respond(smtp.StageGreeting, s.server.profile.words.greeting)
	return err
}

func (s *serverSession) passConnect() error {
	f := s.takeFault(smtp.StageConnect)
	if f == nil {
		return nil
	}
	switch f.Action {
	case Stall:
		return s.stall()
	case Abort:
		return errAbort
	}
	return errCut
}

// runCommand reads one command and answers it.
func (s *serverSession) runCommand() error {
	s.wire.chunk = false
	if err := s.loseGroup(); err != nil {
		return err
	}
	grouped := s.wire.bufferedOctets() > 0
	in, err := s.wire.readLine(maxAuthLine)
	if errors.Is(err, errLineTooLong) {
		s.violate(s.currentStage(), "a command line of more than %d octets", maxAuthLine)
		return s.refuseCommand(s.server.profile.words.badSyntax)
	}
	if err != nil {
		return err
	}
	s.update(func(c *Connection) { c.Commands++ })
	if s.tooEarly(len(in.text) + 2) {
		s.wire.log(FromClient, string(in.text))
		_, err := s.sayReply("503 5.5.1 Sent before the reply to the message")
		return err
	}
	if s.has(HangsUpOnGroup) && s.wire.bufferedOctets() > 0 {
		if _, err := s.sayReply("500 5.5.1 Invalid command: Pipelining not supported"); err != nil {
			return err
		}
		return errHangUp
	}
	if in.bareLF || in.bareCR {
		s.violate(s.currentStage(), "bare CR or LF in the command %q", in.text)
		return s.refuseCommand(s.server.profile.words.badSyntax)
	}
	cmd, err := parseCommand(in.text)
	if err != nil {
		s.violate(s.currentStage(), "%v", err)
		return s.refuseCommand(s.server.profile.words.badSyntax)
	}
	s.logCommand(cmd)
	if grouped && cmd.verb == "MAIL" && s.has(LosesMail) {
		s.remark("quirk " + string(LosesMail))
		return nil
	}
	if len(in.text) > maxCommandLine && cmd.verb != "AUTH" {
		s.violate(s.currentStage(), "a command line of %d octets", len(in.text))
		return s.refuseCommand(s.server.profile.words.badSyntax)
	}
	s.checkPipelining(cmd.verb)
	return s.dispatch(cmd)
}

func (s *serverSession) logCommand(cmd commandLine) {
	text := strings.TrimRight(cmd.verb+" "+cmd.args, " ")
	if cmd.verb == "AUTH" && !s.server.cfg.ShowSecrets {
		mechanism, initial, _ := strings.Cut(cmd.args, " ")
		text = "AUTH " + mechanism
		if initial != "" {
			text += " <hidden>"
		}
	}
	s.wire.log(FromClient, text)
}

// checkPipelining checks the client against RFC 2920 section 3.1: these
// commands may only be the last of a group, and without PIPELINING so must
// every command.
func (s *serverSession) checkPipelining(verb string) {
	if s.wire.bufferedOctets() == 0 {
		return
	}
	if !s.offer.caps.Has("PIPELINING") || s.name == "" {
		// A BDAT is followed by its octets, which are part of it.
		if verb != "BDAT" {
			s.violate(s.currentStage(), "%d octets sent behind %s before its reply, without PIPELINING", s.wire.bufferedOctets(), verb)
		}
		return
	}
	if slices.Contains([]string{"EHLO", "LHLO", "HELO", "DATA", "VRFY", "EXPN", "TURN", "QUIT", "NOOP", "AUTH", "STARTTLS"}, verb) {
		s.violate(s.currentStage(), "%d octets sent behind %s, which must be the last of its group", s.wire.bufferedOctets(), verb)
	}
}

// currentStage returns the stage to which a command that is not understood belongs.
func (s *serverSession) currentStage() smtp.Stage {
	switch {
	case s.name == "":
		return smtp.StageHello
	case !s.mail.open:
		return smtp.StageMail
	case len(s.mail.to) == 0:
		return smtp.StageRcpt
	}
	return smtp.StageData
}

func (s *serverSession) dispatch(cmd commandLine) error {
	w := s.server.profile.words
	switch cmd.verb {
	case "EHLO", "HELO", "LHLO":
		return s.hello(cmd)
	case "STARTTLS":
		return s.startTLS(cmd)
	case "AUTH":
		return s.runAuth(cmd)
	case "MAIL":
		return s.mailFrom(cmd)
	case "RCPT":
		return s.rcptTo(cmd)
	case "DATA":
		return s.runData(cmd)
	case "BDAT":
		return s.runBDAT(cmd)
	case "RSET":
		return s.reset()
	case "NOOP":
		_, err := s.sayReply(s.fillPlaceholders(w.noop))
		return err
	case "VRFY":
		_, err := s.sayReply("252 2.5.2 Cannot VRFY user, but will accept message")
		return err
	case "QUIT":
		return s.runQuit()
	}
	s.violate(s.currentStage(), "unknown command %q", cmd.verb)
	return s.refuseCommand(w.unknown)
}

// refuseCommand answers a command that is no step of the conversation, and hangs up on
// a client that sends too many of them.
func (s *serverSession) refuseCommand(reply string) error {
	if s.errors++; s.errors > maxErrors {
		reply = s.server.profile.words.busy
	}
	_, err := s.sayReply(s.fillPlaceholders(reply))
	return err
}

func (s *serverSession) withholds(keyword string) bool {
	return withheld(s.server.cfg.Without, keyword)
}

// fillPlaceholders replaces the placeholders in a provider's reply with the facts of this
// connection.
func (s *serverSession) fillPlaceholders(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	now := s.server.cfg.Now()
	id := s.mail.id
	if id == "" && strings.Contains(text, "{id}") {
		id = s.server.nextQueueID()
	}
	host, _, err := net.SplitHostPort(s.wire.raw.RemoteAddr().String())
	if err != nil {
		host = "127.0.0.1"
	}
	return strings.NewReplacer("{host}", s.server.profile.hosts[0], "{name}", s.name, "{id}", id, "{ip}", host,
		"{unix}", strconv.FormatInt(now.Unix(), 10), "{date}", now.UTC().Format(time.RFC1123Z),
		"{octets}", strconv.FormatInt(s.mail.chunk, 10)).Replace(text)
}
