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

// Options holds the settings of [Open] besides the server. The zero value sends without a login
// and has secure defaults.
type Options struct {
	// From is the sender's address: it determines the provider if no server is given, and the
	// login name if User is "". It may be "".
	From string
	// User is the login name; "" means the one in the URL, the one that the provider expects for
	// From, or From itself.
	User string
	// Password is the password, app password or authorization code. Line ends at its end are
	// dropped. From an app password or code of a known provider, blanks and invisible characters
	// are removed: web pages show it in groups.
	Password string
	// Token is an OAuth 2.0 access token, instead of Password.
	Token string
	// FreshToken returns access tokens, instead of Token: it is called before each login, with
	// "", and again with the token that the server refused. It must be safe for concurrent use.
	FreshToken func(ctx context.Context, refused string) (string, error)
	// Mechanism forces a SASL mechanism; "" means the best common one, and [NoLogin] disables the
	// login, whatever else is set.
	Mechanism string
	// AllowCleartextPassword allows a password over smtp+notls://.
	AllowCleartextPassword bool

	// CAFile is a PEM file of authorities that replaces the system's.
	CAFile string
	// Pin is "sha256:HEX", the fingerprint of the only trusted certificate.
	Pin string
	// TLSName is the name for which the server's certificate must be valid, if it is not the
	// dialed host: for an address, or a private name. It is also the name sent to the server
	// (SNI). "" means the host.
	TLSName string
	// RSAKeyExchange also offers TLS 1.2 without forward secrecy, for servers without anything
	// better (see [smtpclient.Trust]).
	RSAKeyExchange bool
	// CertFile and KeyFile are PEM files of the client certificate.
	CertFile, KeyFile string

	// LocalName is the name in EHLO; "" means the address of this machine.
	LocalName string
	// Proxy is a URL: socks5:// (or socks5h://, socks://) or http:// (CONNECT), with user and
	// password if the proxy requires them; "" connects directly.
	Proxy string
	// MaxConnections limits the open connections, including those waiting for the reply to QUIT;
	// 0 means 2. It is lowered to the provider's known limit, and temporarily if the server
	// complains.
	MaxConnections int
	// Patience is how long a message waits if the server requested a pause; if the pause is
	// longer, the message is not tried (ErrPaused). 0 means a minute.
	Patience time.Duration
	// IdleTimeout is how long an idle connection is kept; 0 means 20 seconds, which is shorter
	// than servers wait before they hang up.
	IdleTimeout time.Duration
	// Policy says what happens to a message if some of its recipients are refused: Any, the
	// default here, sends it to the others; All, the default of the command (--to-policy), to
	// none. A transaction may override it.
	Policy smtpclient.Policy
	// NoPipelining and NoChunking disable an offered extension.
	NoPipelining, NoChunking bool
	// PipelineMessages says at which servers without CHUNKING the commands of the next message
	// are sent together with the end of the previous one; the zero value means servers known to
	// support it.
	PipelineMessages smtpclient.PipelineMessages
	// Window limits how many messages of SendAll are on the wire of one connection with an
	// unknown outcome.
	Window smtpclient.Window
	// Timeouts limit each phase; zero fields mean those of RFC 5321.
	Timeouts smtpclient.Timeouts
	// Trace receives the conversations, with secrets hidden. It is called from several
	// goroutines, one call at a time: idle connections are closed in the background.
	Trace func(smtpclient.Event)
	// StopAfter ends every attempt after a stage, for diagnosis: one of those before StageData;
	// "" carries it out.
	StopAfter smtp.Stage
}

// NoLogin as Options.Mechanism: the server requires no login.
const NoLogin = "NONE"

// String returns user and login, without secrets.
func (o Options) String() string {
	return fmt.Sprintf("options of user %q, from %q", o.User, o.From)
}

// Format is String for every verb: a logged Options must not reveal the password.
func (o Options) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// MarshalText is String, for log/slog and JSON.
func (o Options) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Config combines server and options into what [smtpclient.Dial] needs, for a caller with a
// connection of its own. It does not call FreshToken.
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
	} else if cfg.Auth, err = o.loginCredentials(s); err != nil {
		return cfg, err
	}
	if cfg.Trust, err = o.loadTrust(); err != nil {
		return cfg, err
	}
	if o.Proxy != "" {
		if s.Socket != "" {
			return cfg, localerr.Errorf("a proxy can't reach the local socket %s", s.Socket)
		}
		dialer, err := ProxyDialer(o.Proxy, nil)
		if err != nil {
			return cfg, err
		}
		cfg.Dialer = dialer.DialContext
	}
	return cfg, nil
}

// oneAtATime serializes the calls of trace.
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

// dialStop returns the StopAfter of the dial.
func dialStop(stage smtp.Stage) smtp.Stage {
	if stage == smtp.StageMail || stage == smtp.StageRcpt {
		return ""
	}
	return stage
}

// loginCredentials returns nil if no login is configured.
func (o Options) loginCredentials(s Server) (*sasl.Credentials, error) {
	c := sasl.Credentials{Username: o.User, Password: strings.TrimRight(o.Password, "\r\n"), Token: strings.TrimRight(o.Token, "\r\n")}
	if s.LMTP && s.User == "" && o.User == "" {
		return nil, nil // LMTP is local; it logs in only with an explicit user
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
			return nil, localerr.Errorf("mechanism %s is set, but there is no password or token", o.Mechanism)
		}
		return nil, nil
	}
	if o.FreshToken != nil && (c.Password != "" || c.Token != "") {
		return nil, localerr.New("use either a token source or a password or token")
	}
	if c.Username == "" {
		return nil, localerr.New("a password without a user name: put the user into the URL (smtps://user@host), or set the sender's address")
	}
	return &c, nil
}

func (o Options) loadTrust() (smtpclient.Trust, error) {
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
		return t, localerr.New("a client certificate needs a certificate file and a key file")
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
