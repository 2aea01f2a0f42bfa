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

// Security is the protection of a connection. The zero value is the safest.
type Security int

const (
	// ImplicitTLS encrypts from the first byte (RFC 8314; ports 465 and 994).
	ImplicitTLS Security = iota
	// STARTTLS requires the upgrade of RFC 3207 (ports 587 and 25). It is an error if the server
	// does not offer it; there is no fallback.
	STARTTLS
	// Plaintext uses no encryption. It is for loopback and LMTP.
	Plaintext
)

// String returns the word used in logs.
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

// Config describes a server and a login. Host is required; everything else has a secure default.
type Config struct {
	// Host is the server's name or IP address. The certificate must be valid for it.
	Host string
	// Port is the TCP port; 0 means 465, 587 or 25, depending on Security.
	Port int
	// Socket is the path of a Unix socket to use instead of Host and Port.
	Socket string

	Security Security
	Trust    Trust
	// SmallHello omits the hybrid key exchange X25519MLKEM768 from the handshake, so that the
	// ClientHello fits into one packet. Dial does so once by itself if a connection ends or stays
	// silent before the server's first octet of TLS.
	SmallHello bool

	// Auth are the credentials; nil means no login.
	Auth *sasl.Credentials
	// Mechanism forces one SASL mechanism; "" means the best common one.
	Mechanism string
	// AllowCleartextPassword is required, in addition to Plaintext, to send a password
	// unencrypted.
	AllowCleartextPassword bool

	// LocalName is the name in EHLO, in ASCII; "" means the address literal of the local end of
	// the connection, which is always valid and correct.
	LocalName string
	// LMTP uses LHLO and expects one reply per recipient (RFC 2033).
	LMTP bool
	// NoPipelining and NoChunking disable an offered extension, for servers with a broken
	// implementation.
	NoPipelining bool
	NoChunking   bool
	// PipelineMessages says at which servers without CHUNKING the messages of a run overlap; the
	// zero value means servers known to support it.
	PipelineMessages PipelineMessages
	// Window limits how far messages of a run overlap.
	Window Window

	// Dialer opens the connection, for instance through a proxy; nil means [net.Dialer].
	Dialer   func(ctx context.Context, network, address string) (net.Conn, error)
	Timeouts Timeouts
	// Trace is called with every line of the conversation, one call at a time: from the goroutine
	// that uses the Conn and, while messages of a run overlap, from the one that writes them.
	// Secrets are hidden before the call.
	Trace func(Event)
	// StopAfter ends Dial after a stage, for diagnosis: StageConnect, StageTLS, StageGreeting,
	// StageHello, StageStartTLS (which is StageHello) or StageAuth; "" means the last one.
	StopAfter smtp.Stage
}

// Timeouts limit the waits of each phase. A zero field means the default, which is that of RFC
// 5321 section 4.5.3.2 if it has one.
type Timeouts struct {
	Connect   time.Duration // TCP; 30 s
	Handshake time.Duration // TLS; 30 s
	Greeting  time.Duration // 5 min
	// Silence is how long Dial waits for a first reply that should come at once, before it
	// investigates; 5 s. If the server does not answer the ClientHello, Dial connects again with
	// a smaller one. If it does not greet on a connection without TLS, Dial checks whether the
	// port expects TLS.
	Silence   time.Duration
	Command   time.Duration // EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET: 5 min
	DataInit  time.Duration // DATA to its 354: 2 min
	DataBlock time.Duration // each block of the message; restarts with each block: 3 min
	DataEnd   time.Duration // the message's end to its reply: 10 min
	Quit      time.Duration // 5 s: the reply does not matter
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

// portOrDefault returns Port or the default.
func (c Config) portOrDefault() int {
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

// dialAddress returns the network and address to dial.
func (c Config) dialAddress() (network, address string) {
	if c.Socket != "" {
		return "unix", c.Socket
	}
	return "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.portOrDefault()))
}

// Check returns an error for a Config with which no connection can be made, and for values that
// would inject something into a command line. Dial calls it; a program that creates a Config long
// before may call it earlier.
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

// dialStages returns the stages of Dial.
func dialStages() []smtp.Stage {
	return []smtp.Stage{smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello, smtp.StageStartTLS, smtp.StageAuth}
}

// notVisible reports a space or a character that is not printable ASCII.
func notVisible(r rune) bool { return r <= ' ' || r > '~' }
