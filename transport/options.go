package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Options is what [Open] needs beside the server. The zero value logs in as
// nobody and has secure defaults for everything else.
type Options struct {
	// From is the address that will send: it finds the provider when no server
	// is given, and the login name when no User is. "" is allowed.
	From string
	// User is the login name; "" means the one of the URL, the one that the
	// provider expects for From, or From itself.
	User string
	// Password is the password, app password or authorization code. Line ends
	// at its end are dropped. Of an app password or code of a known provider, blanks and
	// what can't be seen are dropped anywhere: web pages show it in groups.
	Password string
	// Token is an OAuth 2.0 access token, instead of Password.
	Token string
	// FreshToken gives access tokens that are fresh, instead of Token: it is called
	// before each login, with "", and once more with the token that the server did
	// not take. It is called from several goroutines.
	FreshToken func(ctx context.Context, refused string) (string, error)
	// Mechanism forces a SASL mechanism; "" takes the best common one, and [NoLogin]
	// logs in as nobody, whatever else is given.
	Mechanism string
	// AllowCleartextPassword sends the password over smtp+notls:// too.
	AllowCleartextPassword bool

	// CAFile is a PEM file of the authorities to trust instead of the system's.
	CAFile string
	// Pin is "sha256:HEX", the fingerprint of the one certificate to trust.
	Pin string
	// TLSName is the name that the server's certificate has to be valid for, where it is
	// not the host that is dialed: an address, or a name of your own. It is also the name
	// that the server is asked for (SNI). "" means the host.
	TLSName string
	// RSAKeyExchange also offers TLS 1.2 without forward secrecy, for servers that know
	// nothing else (see [smtpclient.Trust]).
	RSAKeyExchange bool
	// CertFile and KeyFile are PEM files of the client certificate.
	CertFile, KeyFile string

	// LocalName is said in EHLO; "" means the address of this machine.
	LocalName string
	// Proxy is a URL: socks5:// (or socks5h://, socks://) or http:// (CONNECT), with user and
	// password if the proxy wants them; "" connects directly.
	Proxy string
	// MaxConnections bounds the connections that are open at a time, those that are
	// saying goodbye among them; 0 means 2. It is lowered to what the provider is
	// known to allow, and for a while when the server complains.
	MaxConnections int
	// Patience is how long a message waits when the server has asked for a pause;
	// it is not tried (ErrPaused) where that takes longer. 0 means a minute.
	Patience time.Duration
	// IdleTimeout is how long a connection is kept for the next message; 0
	// means 20 seconds, less than servers wait before they hang up.
	IdleTimeout time.Duration
	// Policy decides what happens to a message when some of its recipients are refused:
	// Any, the default here, sends it to the others; All, the default of the command
	// (--to-policy), to nobody. A transaction may say otherwise.
	Policy smtpclient.Policy
	// NoPipelining and NoChunking leave an offered extension unused.
	NoPipelining, NoChunking bool
	// PipelineMessages says at which servers without CHUNKING the commands of the
	// next message leave together with the end of the one before; the zero value is
	// those that are known to do it right.
	PipelineMessages smtpclient.PipelineMessages
	// Window bounds how many messages of SendAll are on the wire of one
	// connection without their outcome being known.
	Window smtpclient.Window
	// Timeouts bound each phase; zero fields are those of RFC 5321.
	Timeouts smtpclient.Timeouts
	// Trace sees the conversations, secrets hidden. It is called from several
	// goroutines, one at a time: idle connections say goodbye on their own.
	Trace func(smtpclient.Event)
	// StopAfter ends every attempt after a stage, for diagnosis: one of those
	// before StageData; "" carries it out.
	StopAfter smtp.Stage
}

// NoLogin as Options.Mechanism: the server takes mail from everybody who may reach it.
const NoLogin = "NONE"

// String says who logs in as whom, without the secrets.
func (o Options) String() string {
	return fmt.Sprintf("options of user %q, from %q", o.User, o.From)
}

// Format is String for every verb: an Options that ends up in a log must not
// bring the password along.
func (o Options) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// MarshalText is String, for log/slog and JSON.
func (o Options) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Config joins server and options to what [smtpclient.Dial] needs, for who wants
// one connection of their own. A FreshToken is not asked.
func (o Options) Config(s Server) (smtpclient.Config, error) {
	cfg := smtpclient.Config{
		Host: s.Host, Port: s.Port, Socket: s.Socket, Security: s.Security, LMTP: s.LMTP,
		Mechanism: o.Mechanism, AllowCleartextPassword: o.AllowCleartextPassword,
		LocalName: o.LocalName, NoPipelining: o.NoPipelining, NoChunking: o.NoChunking, PipelineMessages: o.PipelineMessages, Window: o.Window,
		Timeouts: o.Timeouts, Trace: oneAtATime(o.Trace), StopAfter: dialStop(o.StopAfter),
	}
	var err error
	if strings.EqualFold(o.Mechanism, NoLogin) {
		cfg.Mechanism = ""
	} else if cfg.Auth, err = o.credentials(s); err != nil {
		return cfg, err
	}
	if cfg.Trust, err = o.trust(); err != nil {
		return cfg, err
	}
	if o.Proxy != "" {
		if s.Socket != "" {
			return cfg, localerr.Errorf("a proxy can't reach the socket %s of this machine", s.Socket)
		}
		dialer, err := ProxyDialer(o.Proxy, nil)
		if err != nil {
			return cfg, err
		}
		cfg.Dialer = dialer.DialContext
	}
	return cfg, nil
}

// oneAtATime spares whoever watches several connections the locks.
func oneAtATime(trace func(smtpclient.Event)) func(smtpclient.Event) {
	if trace == nil {
		return nil
	}
	var mu sync.Mutex
	return func(e smtpclient.Event) {
		mu.Lock()
		defer mu.Unlock()
		trace(e)
	}
}

// dialStop is the part of StopAfter that concerns the dial.
func dialStop(stage smtp.Stage) smtp.Stage {
	if stage == smtp.StageMail || stage == smtp.StageRcpt {
		return ""
	}
	return stage
}

// credentials is nil when nothing was given to log in with.
func (o Options) credentials(s Server) (*sasl.Credentials, error) {
	c := sasl.Credentials{Username: o.User, Password: strings.TrimRight(o.Password, "\r\n"), Token: strings.TrimRight(o.Token, "\r\n")}
	if s.LMTP && s.User == "" && o.User == "" {
		return nil, nil // LMTP is for the local machine; only a named user logs in
	}
	for _, name := range []string{s.User, o.From} {
		if c.Username == "" {
			c.Username = name
		}
	}
	c.Password = s.Provider.Secret(c.Password)
	if c.Password == "" && c.Token == "" && o.FreshToken == nil {
		if strings.EqualFold(o.Mechanism, sasl.External) {
			return &c, nil
		}
		if o.Mechanism != "" {
			return nil, localerr.Errorf("mechanism %s was asked for, and there is no password or token", o.Mechanism)
		}
		return nil, nil
	}
	if o.FreshToken != nil && (c.Password != "" || c.Token != "") {
		return nil, localerr.New("a source of tokens was given, and a password or token beside it")
	}
	if c.Username == "" {
		return nil, localerr.New("a password was given, and no user name: put it into the URL (smtps://user@host), or give the sender's address")
	}
	return &c, nil
}

func (o Options) trust() (smtpclient.Trust, error) {
	var t smtpclient.Trust
	var err error
	if o.CAFile != "" {
		if t.Roots, err = smtpclient.LoadRoots(o.CAFile); err != nil {
			return t, err
		}
	}
	if o.Pin != "" {
		if t.Pin, err = smtpclient.ParsePin(o.Pin); err != nil {
			return t, err
		}
	}
	if strings.ContainsFunc(hostToASCII(o.TLSName), func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == '@' }) {
		return t, localerr.Errorf("the TLS name %q is not a host name", o.TLSName)
	}
	t.ServerName, t.RSAKeyExchange = hostToASCII(o.TLSName), o.RSAKeyExchange
	if (o.CertFile == "") != (o.KeyFile == "") {
		return t, localerr.New("a client certificate needs both its file and that of its key")
	}
	if o.CertFile != "" {
		pair, err := smtpclient.LoadCertificate(o.CertFile, o.KeyFile)
		if err != nil {
			return t, localerr.Errorf("reading the client certificate: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
