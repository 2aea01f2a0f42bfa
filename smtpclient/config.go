package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

// Security is how a connection is protected. The zero value is the safest.
type Security int

const (
	// ImplicitTLS encrypts from the first byte (RFC 8314; ports 465 and 994).
	ImplicitTLS Security = iota
	// STARTTLS requires the upgrade of RFC 3207 (ports 587 and 25). A server
	// that does not offer it is an error, never a fall-back.
	STARTTLS
	// Plaintext encrypts nothing. It is for loopback and for LMTP.
	Plaintext
)

// String is the word that stands in logs.
func (s Security) String() string {
	switch s {
	case ImplicitTLS:
		return "implicit TLS"
	case STARTTLS:
		return "STARTTLS"
	default:
		return "plaintext"
	}
}

// Config says how to reach a server and how to log in. Host is required;
// everything else has a secure default.
type Config struct {
	// Host is the server's name or IP address. The certificate must be valid
	// for it.
	Host string
	// Port is the TCP port; 0 means 465, 587 or 25 by Security.
	Port int
	// Socket is the path of a Unix socket to use instead of Host and Port.
	Socket string

	Security Security
	Trust    Trust
	// SmallHello leaves the hybrid key exchange X25519MLKEM768 out of the handshake, so
	// that the ClientHello fits into one packet. Dial does so by itself, once, when a
	// connection ends or stays silent before the server's first word of TLS.
	SmallHello bool

	// Auth is who to log in as; nil means not to.
	Auth *sasl.Credentials
	// Mechanism forces one SASL mechanism; "" takes the best common one.
	Mechanism string
	// AllowCleartextPassword is the second word, after Plaintext, that it takes
	// to send a password unencrypted.
	AllowCleartextPassword bool

	// LocalName is the name said in EHLO, in ASCII; "" means the address literal of this
	// end of the connection, which is always valid and always true.
	LocalName string
	// LMTP speaks LHLO and expects one reply per recipient (RFC 2033).
	LMTP bool
	// NoPipelining and NoChunking leave an offered extension unused, for
	// servers that offer what they can't do.
	NoPipelining bool
	NoChunking   bool
	// PipelineMessages says at which servers without CHUNKING the messages of a run
	// overlap; the zero value is those that are known to do it right.
	PipelineMessages PipelineMessages
	// Window bounds how far messages of a run overlap.
	Window Window

	// Dialer opens the connection, through a proxy for instance; nil means
	// [net.Dialer].
	Dialer   func(ctx context.Context, network, address string) (net.Conn, error)
	Timeouts Timeouts
	// Trace is called with every line of the conversation, one at a time: from the
	// goroutine that uses the Conn and, while messages of a run overlap, from the
	// one that writes them. Secrets are hidden before it is called.
	Trace func(Event)
	// StopAfter ends Dial after a stage, for diagnosis: StageConnect, StageTLS,
	// StageGreeting, StageHello, StageStartTLS (which is StageHello) or StageAuth;
	// "" means after the last.
	StopAfter smtp.Stage
}

// Timeouts bound the waits of each phase. A zero field means the default,
// which is that of RFC 5321 section 4.5.3.2 where it names one.
type Timeouts struct {
	Connect   time.Duration // TCP; 30 s
	Handshake time.Duration // TLS; 30 s
	Greeting  time.Duration // 5 min
	// Silence is how long a server may say nothing at all, where a first word is due
	// at once, before that is looked into; 5 s. If it does not answer the ClientHello,
	// it is dialed again with a smaller one. If it does not greet on a connection
	// without TLS, it is asked whether the port speaks TLS.
	Silence   time.Duration
	Command   time.Duration // EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET: 5 min
	DataInit  time.Duration // DATA to its 354: 2 min
	DataBlock time.Duration // each block of the message; progress starts it anew: 3 min
	DataEnd   time.Duration // the message's end to its reply: 10 min
	Quit      time.Duration // 5 s: nothing depends on the answer
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&t.Connect, 30*time.Second)
	set(&t.Handshake, 30*time.Second)
	set(&t.Greeting, 5*time.Minute)
	set(&t.Silence, 5*time.Second)
	set(&t.Command, 5*time.Minute)
	set(&t.DataInit, 2*time.Minute)
	set(&t.DataBlock, 3*time.Minute)
	set(&t.DataEnd, 10*time.Minute)
	set(&t.Quit, 5*time.Second)
	return t
}

// port is Port or the usual one.
func (c Config) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.Security == ImplicitTLS:
		return 465
	case c.Security == STARTTLS:
		return 587
	}
	return 25
}

// address is the network and address to dial.
func (c Config) address() (network, address string) {
	if c.Socket != "" {
		return "unix", c.Socket
	}
	return "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.port()))
}

// Check finds what no connection could be made with, and what would become
// part of a command line without belonging there. Dial calls it; who makes a
// Config long before that may want to know at once.
func (c Config) Check() error {
	switch {
	case c.Host == "" && c.Socket == "":
		return errors.New("no server given")
	case strings.ContainsFunc(c.Host, notVisible):
		return fmt.Errorf("host %q is not a host name", c.Host)
	case len(c.LocalName) > 255 || strings.ContainsFunc(c.LocalName, notVisible):
		return fmt.Errorf("local name %q is not a host name or address literal", c.LocalName)
	case c.Mechanism != "" && !slices.Contains(sasl.Mechanisms(), strings.ToUpper(c.Mechanism)):
		return fmt.Errorf("authentication mechanism %q is not known; known are %s",
			c.Mechanism, strings.Join(sasl.Mechanisms(), ", "))
	case c.StopAfter != "" && !slices.Contains(dialStages(), c.StopAfter):
		return fmt.Errorf("a dial can't stop after %q", c.StopAfter)
	}
	return nil
}

// dialStages are those that Dial passes.
func dialStages() []smtp.Stage {
	return []smtp.Stage{smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello, smtp.StageStartTLS, smtp.StageAuth}
}

// notVisible reports what is not a printable ASCII character, or a space.
func notVisible(r rune) bool { return r <= ' ' || r > '~' }
