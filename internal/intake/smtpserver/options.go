package smtpserver

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/localerr"
)

// Options are the options of a [Server].
type Options struct {
	// Admission decides about each message and keeps it.
	Admission *admission.Admission
	// Authenticate checks a user name and a password. An error that wraps ErrWrongLogin counts as a
	// failed login; any other is temporary trouble. If it is nil, AUTH is not offered.
	Authenticate func(user, password string) (admission.Peer, error)
	// HasLogins reports whether a login can succeed now; without one, EHLO lists no AUTH. nil means
	// that it always can.
	HasLogins func() bool
	// Anonymous returns who has opened a connection, for clients that do not log in. It is called
	// once, before the greeting. If it is nil, every client must log in. A listener that other
	// machines can reach must not have it.
	Anonymous func(net.Conn) (admission.Peer, error)
	// TLS returns the certificate and settings of the next handshake, so that a reload changes
	// them. If it is nil, no TLS is offered, as on loopback: most clients use STARTTLS if it is
	// offered, and then refuse a self-made certificate.
	TLS func() *tls.Config
	// Implicit is for a port where TLS begins with the first octet; otherwise STARTTLS is offered.
	Implicit bool
	// Insecure allows a listener that other machines can reach to work without TLS, and so to take
	// passwords in the clear. Networks must then list the clients.
	Insecure bool
	// Networks, if there are any, lists the networks of the clients; others are refused.
	Networks []netip.Prefix
	// Hostname is the server's name in its greeting and in Received fields; "" means this machine's.
	Hostname string
	Limits   Limits
	// Trace writes the client's name and address into the Received field.
	Trace bool
	// Log is for refused connections and messages, failed logins and panics; nil means none.
	Log *slog.Logger
	// Count is told of each message that was kept, with rule "", and of each refusal; again says that
	// the message was kept before. nil counts nothing.
	Count func(rule string, again bool)
	// Now and Sleep are the clock, for tests; nil means the system's.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration)
}

// Limits bound a client. Zero values mean the defaults.
type Limits struct {
	Connections int // at once; 1000
	PerPeer     int // connections of one address (IPv6: one /64), or of one user of this machine; 50

	Size       int64         // octets of a message if the peer's grant does not say; 50 MiB
	Recipients int           // of a message, accepted or not, if the grant does not say; 1000
	Errors     int           // commands with a wrong form or order in a session; 20
	Commands   int           // commands from one accepted message to the next; 10,000
	Command    time.Duration // waiting for a command (RFC 5321 section 4.5.3.2.7); 5 min
	Login      time.Duration // from the greeting to the login, if one is required; 2 min
	Handshake  time.Duration // 30 s
	Block      time.Duration // waiting for more octets of a message; 3 min
	// Message is the time that a message may take in any case. It gets another second for each
	// KiB that has arrived. 10 min.
	Message time.Duration
	Write   time.Duration // writing a reply; 1 min
	Commit  time.Duration // keeping a message after its last octet; 2 min
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Connections, 1000)
	setDefault(&l.PerPeer, 50)
	setDefault(&l.Size, 50<<20)
	setDefault(&l.Recipients, 1000)
	setDefault(&l.Errors, 20)
	setDefault(&l.Commands, 10_000)
	setDefault(&l.Command, 5*time.Minute)
	setDefault(&l.Login, 2*time.Minute)
	setDefault(&l.Handshake, 30*time.Second)
	setDefault(&l.Block, 3*time.Minute)
	setDefault(&l.Message, 10*time.Minute)
	setDefault(&l.Write, time.Minute)
	setDefault(&l.Commit, 2*time.Minute)
	return l
}

func setDefault[T int | int64 | time.Duration](value *T, d T) {
	if *value == 0 {
		*value = d
	}
}

var (
	// ErrWrongLogin: the user name is not known, or the password is not its.
	ErrWrongLogin = localerr.New("the user name or the password is wrong")

	errNoLogin    = localerr.New("clients can neither log in nor be known without a login")
	errNoTLS      = localerr.New("the address can be reached by other machines, but there is no certificate: set certificate and key")
	errNoPassword = localerr.New("the address can be reached by other machines, but there are no logins: create one with 'yan token new'")
	errOpenRelay  = localerr.New("the address can be reached by other machines, where clients without a login are not allowed")
	errNoNetworks = localerr.New("the address takes passwords in the clear, but no networks are listed")
)

// check reports options that can't work, or not safely, at an address.
func (o *Options) check(address net.Addr) error {
	if o.Authenticate == nil && o.Anonymous == nil {
		return errNoLogin
	}
	if isLocal(address) {
		return nil
	}
	switch {
	case o.Anonymous != nil:
		return errOpenRelay
	case o.Authenticate == nil:
		return errNoPassword
	case o.TLS == nil && !o.Insecure:
		return errNoTLS
	case o.TLS == nil && len(o.Networks) == 0:
		return errNoNetworks
	}
	return nil
}

// isLocal reports whether only programs on this machine can reach an address.
func isLocal(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return !ok || t.IP.IsLoopback()
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Hostname == "" {
		o.Hostname = "localhost"
		if name, err := os.Hostname(); err == nil && isHostName(name) {
			o.Hostname = name
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Count == nil {
		o.Count = func(string, bool) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o
}

func isHostName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// sleep waits for a time, or until the context is done.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
