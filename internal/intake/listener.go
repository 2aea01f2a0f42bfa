package intake

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"syscall"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/intake/smtpserver"
	"github.com/yanmail/yan/internal/localerr"
)

// ErrListen: the address of [listen.smtp] can't be listened on.
var ErrListen = localerr.New("can't listen for SMTP")

// implicitTLS is the port at which TLS begins with the first octet (RFC 8314 section 3.3).
const implicitTLS = 465

// listenerWay is the SMTP listener.
func (in *Intake) listenerWay(l account.ListenSMTP) *way {
	w := in.newWay(WaySMTP, l.Address)
	_, port, _ := net.SplitHostPort(l.Address) // account.ListenAddress has parsed it
	o := smtpserver.Options{
		Admission: in.users.With(in.localPolicy, l.RepeatNew),
		Authenticate: func(name, secret string) (admission.Peer, error) {
			t, ok := in.tokens.Check(context.Background(), name, secret)
			if !ok {
				return admission.Peer{}, smtpserver.ErrWrongLogin
			}
			return admission.Peer{Token: t.Name}, nil
		},
		HasLogins: func() bool { return len(in.tokens.Current(context.Background()).List()) > 0 },
		Implicit:  port == strconv.Itoa(implicitTLS) && l.Certificate != "", Insecure: l.Insecure, Networks: l.Networks, Trace: l.Trace,
		Limits: smtpserver.Limits{Connections: l.MaxConnections, PerPeer: l.MaxPerPeer},
		Count:  w.tell, Log: in.o.Log.With(slog.String("way", w.name)),
	}
	if l.IsLoopback() {
		o.Anonymous = in.localPeer
	}
	if l.Certificate != "" {
		before := in.rules.Load().tls
		o.TLS = func() *tls.Config {
			if now := in.rules.Load().tls; now != nil {
				return now
			}
			return before // the certificate was removed from the configuration
		}
	}
	server := smtpserver.New(o)
	w.open = func(ctx context.Context) (err error) {
		if w.listeners, err = listenTCP(ctx, l.Address); err == nil {
			in.logOpen(w)
		}
		return err
	}
	w.run = func(ctx context.Context) error { return w.serve(ctx, server) }
	w.close = w.closeListeners
	return w
}

// localPeer returns who has opened a connection over loopback, for programs that do not log in.
func (in *Intake) localPeer(c net.Conn) (admission.Peer, error) {
	l := in.rules.Load().listen
	switch {
	case len(l.Users) > 0:
		uid, err := smtpserver.TCPUser(c)
		if err != nil {
			return admission.Peer{}, err
		}
		u, err := peeruser.Find(uid)
		if err != nil {
			return admission.Peer{}, err
		}
		if !slices.Contains(l.Users, u.Name) {
			return admission.Peer{}, admission.NewRefusal("users", 550, "5.7.1", localerr.Errorf("the user %s may not send here without a login", u.Name),
				localerr.New("add the user to users in [listen.smtp], or log in with a token"))
		}
		return admission.Peer{User: u.Name, UID: u.UID}, nil
	case len(l.Local) > 0:
		return admission.Peer{}, nil
	}
	return admission.Peer{}, admission.NewRefusal("login", 530, "5.7.0", localerr.New("log in first"), localerr.New("create a token with 'yan token new', or name accounts in local of [listen.smtp]"))
}

// listenTCP listens at an address; at both loopback addresses for localhost, if the machine has both.
func listenTCP(ctx context.Context, address string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, localerr.Errorf("%w: %w", ErrListen, err)
	}
	var config net.ListenConfig
	if host != "localhost" {
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, localerr.Errorf("%w: %w", ErrListen, err)
		}
		return []net.Listener{l}, nil
	}
	first, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, localerr.Errorf("%w: %w", ErrListen, err)
	}
	if at, ok := first.Addr().(*net.TCPAddr); ok {
		port = strconv.Itoa(at.Port)
	}
	second, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, localerr.Errorf("%w: %w", ErrListen, errors.Join(err, first.Close()))
	}
	if err != nil { // a machine without IPv6
		return []net.Listener{first}, nil
	}
	return []net.Listener{first, second}, nil
}
