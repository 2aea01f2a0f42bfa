package smtpclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/smtp"
)

// Conn is one connection, greeted and, if credentials were given, logged in. It is not safe for
// concurrent use, except that Close and Quit may be called from another goroutine and end a
// transaction in progress.
type Conn struct {
	busy  sync.Mutex // held by Send, Run and Quit
	cfg   Config
	w     *wire
	tls   *tls.ConnectionState
	caps  smtp.Capabilities
	hello smtp.Reply
	greet smtp.Reply
	// mechanism is the mechanism of the login; "" without one.
	mechanism string
	// dirty says that a transaction is open on the server, so that RSET must precede the next.
	dirty  bool
	broken atomic.Bool
	// grouped says that commands have shared a flight.
	grouped bool
	// proven says that a group of commands with its message was answered completely. Before that,
	// nothing may follow a group: a server that loses commands that come together would answer
	// the first of each later group, and its replies would count for the first message.
	proven bool
	// closing is the 421 that announced the end of the connection, if one did.
	closing smtp.Reply
	// software is the recognised software of the server.
	software software
	// resets counts the RSETs since the last accepted message, except the first, over the whole
	// connection; refusals the commands refused in a row, and accepted the messages accepted in a
	// row. See software.
	resets, refusals, accepted int
	mails                      int         // accepted MAIL commands
	cleared                    bool        // RSET was sent since the last accepted message
	spent                      atomic.Bool // see Spent
	// asked says that EHLO was sent again after the login.
	asked bool
	// leaving says that the last reply that was read announced the end of the connection.
	leaving bool
	out     *countingWriter // the writer of transactions
	line    []byte          // a command line being put together
	parked  time.Time       // when the connection became idle; zero while it is used
}

// Dial connects and performs everything before the first transaction: TLS, greeting, EHLO,
// STARTTLS, AUTH. Every failure is an *[smtp.Error] with its stage. The caller ends the
// connection with Quit or Close.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	cfg.Timeouts = cfg.Timeouts.withDefaults()
	cfg.Window = cfg.Window.withDefaults()
	if err := cfg.Check(); err != nil {
		return nil, &smtp.Error{Stage: smtp.StageConnect, Err: err}
	}
	c, _, err := dialOnce(ctx, cfg)
	if !cfg.worthSecondDial(ctx, err) {
		return c, err
	}
	newWire(nil, cfg.Trace).traceLine(Redialing, "", 0)
	cfg.SmallHello = true
	again, secured, err2 := dialOnce(ctx, cfg)
	if e, ok := errors.AsType[*smtp.Error](err2); ok && !secured && e.Stage != smtp.StageTLS {
		return nil, err // the first connection got further
	}
	return again, err2
}

// dialOnce is Dial without its second try. secured says that TLS was established, even if a later
// step failed.
func dialOnce(ctx context.Context, cfg Config) (c *Conn, secured bool, err error) {
	conn, err := dialTCP(ctx, cfg)
	if err != nil {
		return nil, false, &smtp.Error{Stage: smtp.StageConnect, Err: err}
	}
	c = &Conn{cfg: cfg, w: newWire(conn, cfg.Trace)}
	c.out = newCountingWriter(c.w)
	c.w.redact = newRedactor(cfg.Auth)
	c.w.traceLine(Connected, conn.RemoteAddr().String(), 0)
	c.w.sentNow() // the greeting answers the connection
	defer c.w.useContext(ctx)()
	for _, step := range c.dialSteps() {
		if cfg.stopsBefore(step.stage) {
			break
		}
		if err := step.do(ctx); err != nil {
			c.Close()
			return nil, c.tls != nil, err
		}
	}
	c.w.known = map[string]smtp.Reply{}
	return c, c.tls != nil, nil
}

type step struct {
	stage smtp.Stage
	do    func(context.Context) error
}

// dialSteps lists the steps after the TCP connection, in order.
func (c *Conn) dialSteps() []step {
	var steps []step
	if c.cfg.Security == ImplicitTLS {
		steps = append(steps, step{smtp.StageTLS, c.handshakeTLS})
	}
	steps = append(steps, step{smtp.StageGreeting, c.readGreeting}, step{smtp.StageHello, c.sayHello})
	if c.cfg.Security == STARTTLS {
		steps = append(steps, step{smtp.StageStartTLS, c.startTLS})
	}
	if c.cfg.Auth != nil {
		steps = append(steps, step{smtp.StageAuth, c.authenticate})
	}
	return steps
}

// stopsBefore reports whether a Dial with StopAfter must stop before next. EHLO with STARTTLS
// includes the upgrade: the server's extensions are known only after it.
func (c Config) stopsBefore(next smtp.Stage) bool {
	switch c.StopAfter {
	case smtp.StageConnect:
		return true
	case smtp.StageTLS:
		return next == smtp.StageAuth || next == smtp.StageGreeting && c.Security == ImplicitTLS
	case smtp.StageGreeting:
		return next == smtp.StageHello
	case smtp.StageHello, smtp.StageStartTLS:
		return next == smtp.StageAuth
	}
	return false
}

func dialTCP(ctx context.Context, cfg Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeouts.Connect)
	defer cancel()
	dial := cfg.Dialer
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	network, address := cfg.dialAddress()
	return dial(ctx, network, address)
}

func (c *Conn) handshakeTLS(ctx context.Context) error {
	start := time.Now()
	settings := c.cfg.Trust.TLSConfig(c.cfg.Host)
	if c.cfg.SmallHello {
		clienthello.ShrinkHello(settings)
	}
	conn, err := c.w.upgradeTLS(ctx, settings, c.cfg.Timeouts.Handshake, c.helloSilence())
	if err != nil {
		return &smtp.Error{Stage: smtp.StageTLS, Err: err}
	}
	state := conn.ConnectionState()
	c.tls = &state
	h := handshakeOf(state, c.cfg.Trust.verifiedName(c.cfg.Host))
	c.w.traceEvent(Event{Direction: Secured, Text: h.String(), Wait: time.Since(start), Handshake: &h})
	c.w.sentNow() // under implicit TLS the greeting answers the handshake
	return nil
}

func (c *Conn) readGreeting(ctx context.Context) error {
	silent := c.whenSilent(ctx)
	reply, err := c.w.readReplyWithin(c.cfg.Timeouts.Greeting)
	if silent() && err != nil {
		return &smtp.Error{Stage: smtp.StageGreeting, Err: ErrTLSPort}
	}
	c.greet = reply
	if err != nil && reply.IsZero() && c.mayWantTLS() && !errors.Is(err, smtp.ErrMalformedReply) && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: %w", ErrNoGreeting, err)
	}
	if err != nil || !reply.Positive() {
		return &smtp.Error{Stage: smtp.StageGreeting, Reply: reply, Err: err}
	}
	return nil
}

// mayWantTLS reports whether a silent server may be waiting for TLS: the ports on which SMTP
// begins in plain text are known (25, 587 and, by convention, 2525), and LMTP always does.
func (c *Conn) mayWantTLS() bool {
	port := c.cfg.portOrDefault()
	return c.tls == nil && !c.cfg.LMTP && port != 25 && port != 587 && port != 2525
}

// sayHello sends EHLO and, to servers that don't know it, HELO (RFC 5321 section 3.2). With LMTP
// it sends only LHLO (RFC 2033 section 4.1).
func (c *Conn) sayHello(context.Context) error {
	reply, err := c.runCommand(smtp.StageHello, c.helloVerb()+" "+c.localName())
	if err != nil {
		return err
	}
	c.caps = smtp.Capabilities{}
	if reply.Permanent() && !c.cfg.LMTP {
		refusal := reply
		if reply, err = c.runCommand(smtp.StageHello, "HELO "+c.localName()); err != nil {
			// A server that hung up gave the reason in its reply to EHLO.
			return &smtp.Error{Stage: smtp.StageHello, Reply: refusal, Err: errors.Unwrap(err)}
		}
	} else if reply.Positive() {
		c.caps = smtp.ParseCapabilities(reply)
	}
	c.hello = reply
	if !reply.Positive() {
		return &smtp.Error{Stage: smtp.StageHello, Reply: reply}
	}
	c.software = recogniseSoftware(c.greet, c.hello, c.localName())
	return nil
}

// mayOfferMore reports whether another EHLO may offer the extension that a message needs. QUIRK:
// Dovecot's submission lists DSN only after the login.
func (c *Conn) mayOfferMore(missing error) bool {
	if c.mechanism == "" || c.asked {
		return false
	}
	for _, needed := range []error{ErrNeedsDSN, ErrNeedsSMTPUTF8, ErrNeeds8BITMIME, ErrNeedsBINARYMIME, ErrTooLarge} {
		if errors.Is(missing, needed) {
			return true
		}
	}
	return false
}

// helloAgain sends EHLO again after the login. If the server refuses it, the earlier extensions
// stay valid.
func (c *Conn) helloAgain() error {
	c.asked = true
	reply, err := c.runCommand(smtp.StageHello, c.helloVerb()+" "+c.localName())
	if err != nil {
		return err
	}
	if c.note421(reply); reply.Positive() {
		c.caps, c.hello = smtp.ParseCapabilities(reply), reply
		c.software = recogniseSoftware(c.greet, c.hello, c.localName())
	}
	return nil
}

// helloVerb returns the command that requests the extensions.
func (c *Conn) helloVerb() string {
	if c.cfg.LMTP {
		return "LHLO"
	}
	return "EHLO"
}

// startTLS upgrades and sends EHLO again: everything received before is discarded (RFC 3207
// section 4.2).
func (c *Conn) startTLS(ctx context.Context) error {
	if !c.caps.Has("STARTTLS") {
		return &smtp.Error{Stage: smtp.StageStartTLS, Err: ErrSTARTTLSNotOffered}
	}
	reply, err := c.runCommand(smtp.StageStartTLS, "STARTTLS")
	if err != nil {
		return err
	}
	if !reply.Positive() {
		return &smtp.Error{Stage: smtp.StageStartTLS, Reply: reply}
	}
	if c.w.r.Buffered() > 0 {
		return &smtp.Error{Stage: smtp.StageStartTLS, Err: ErrInjectedResponse}
	}
	if err := c.handshakeTLS(ctx); err != nil {
		return err
	}
	return c.sayHello(ctx)
}

// runCommand sends one line and returns the reply, of any code. The error is an *smtp.Error.
func (c *Conn) runCommand(stage smtp.Stage, line string) (smtp.Reply, error) {
	reply, err := c.sendCommand(commandSpec{stage: stage, line: line, shown: line})
	if err != nil {
		return smtp.Reply{}, err
	}
	return reply, nil
}

// commandSpec is a command line and how to read its reply.
type commandSpec struct {
	stage       smtp.Stage
	line, shown string
	wait        time.Duration // for the answer; 0 means Timeouts.Command
	challenge   bool          // the answer may be a challenge of AUTH
}

// sendCommand sends one line and reads the reply. A server may send the reason before it hangs
// up, so a refusal is read even if sending failed.
func (c *Conn) sendCommand(q commandSpec) (smtp.Reply, *smtp.Error) {
	read := func() (smtp.Reply, error) { return c.w.readReply(replyReading{}) }
	if q.challenge {
		read = c.w.readChallenge
	}
	failed := c.checkUnasked()
	if failed == nil {
		failed = c.w.sendLines(c.cfg.Timeouts.Command, []byte(q.line+"\r\n"), q.shown)
	}
	wait := cmp.Or(q.wait, c.cfg.Timeouts.Command)
	if failed != nil {
		wait = c.cfg.Timeouts.Quit
	}
	c.w.setReplyTimeout(wait)
	reply, err := read()
	switch {
	case failed != nil:
		lost := c.markLost(q.stage, failed)
		if err == nil && isNegative(reply) {
			return reply, nil
		}
		return smtp.Reply{}, lost
	case err != nil:
		return smtp.Reply{}, c.markLost(q.stage, err)
	}
	return reply, nil
}

// checkUnasked returns an error if the server sent octets without a command. Read as the reply to the
// next command, they would shift every reply by one.
func (c *Conn) checkUnasked() error {
	if c.w.hasUnsolicited() {
		return ErrUnasked
	}
	return nil
}

// isNegative reports a 4yz or 5yz reply.
func isNegative(r smtp.Reply) bool { return r.Transient() || r.Permanent() }

// markLost marks the connection as unusable.
func (c *Conn) markLost(stage smtp.Stage, err error) *smtp.Error {
	if c.broken.Swap(true) && (errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)) {
		err = ErrClosed
	}
	c.w.closeAbruptly()
	return &smtp.Error{Stage: stage, Err: err}
}

// localName returns the name for EHLO.
func (c *Conn) localName() string {
	if c.cfg.LocalName != "" {
		return c.cfg.LocalName
	}
	addr, ok := c.w.raw.LocalAddr().(*net.TCPAddr)
	if !ok {
		return "localhost"
	}
	if ip := addr.IP.To4(); ip != nil {
		return fmt.Sprintf("[%s]", ip)
	}
	return fmt.Sprintf("[IPv6:%s]", addr.IP)
}

// Capabilities returns the server's current extensions, after TLS and login.
func (c *Conn) Capabilities() smtp.Capabilities { return c.caps }

// Greeting returns the server's first reply.
func (c *Conn) Greeting() smtp.Reply { return c.greet }

// Hello returns the server's reply to the last EHLO, HELO or LHLO.
func (c *Conn) Hello() smtp.Reply { return c.hello }

// TLS returns the state of the encrypted connection; nil for a plaintext one.
func (c *Conn) TLS() *tls.ConnectionState { return c.tls }

// SmallHello reports whether the handshake was done without the hybrid key exchange:
// as [Config.SmallHello] asked, or because the server did not answer a larger one.
func (c *Conn) SmallHello() bool { return c.cfg.SmallHello }

// Mechanism returns the SASL mechanism of the login; "" without one.
func (c *Conn) Mechanism() string { return c.mechanism }

// Usable reports whether another transaction may be tried. It becomes false when the connection
// is lost, cut or closed, or the server answered 421.
func (c *Conn) Usable() bool { return !c.broken.Load() }

// Quit sends QUIT and closes the connection. It ignores the reply, and waits for it at most
// Timeouts.Quit. During a transaction it is Close, and also before the greeting, when nothing may
// be sent (RFC 5321 section 4.3.1), least of all to a server that expects TLS.
//
// QUIRK: QQ answers with sixteen bytes of an internal frame before its 221.
func (c *Conn) Quit(ctx context.Context) {
	defer c.Close()
	if !c.busy.TryLock() {
		return
	}
	defer c.busy.Unlock()
	if c.broken.Load() || c.greet.IsZero() {
		return
	}
	defer c.w.useContext(ctx)()
	if c.w.sendLines(c.cfg.Timeouts.Quit, []byte("QUIT\r\n"), "QUIT") == nil {
		_, _ = c.w.readReplyWithin(c.cfg.Timeouts.Quit)
	}
}

// Format prints the server's name for every verb of package fmt, and never the credentials.
func (c *Conn) Format(f fmt.State, _ rune) {
	_, address := c.cfg.dialAddress()
	_, _ = io.WriteString(f, "connection to "+address)
}

// Close cuts the connection. It may be called at any time, from any goroutine and more than once;
// a transaction in progress ends with the outcomes known so far.
func (c *Conn) Close() {
	c.broken.Store(true)
	c.w.closeAbruptly()
}
