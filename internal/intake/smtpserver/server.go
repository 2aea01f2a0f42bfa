package smtpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
)

// Server takes messages over SMTP. It is safe for concurrent use.
type Server struct {
	o     Options
	desk  admissionDesk
	peers peerCount
	login loginFailures
	// buffers are those of largeBuffer octets that no session uses.
	buffers sync.Pool
}

func (s *Server) largeBuffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, largeBuffer)
	return &b
}

// admissionDesk is the part of package admission that a session uses.
type admissionDesk interface {
	Grant(admission.Peer) (admission.Grant, error)
	Begin(opening) (openTransaction, error)
}

// New returns a server. It opens nothing.
func New(o Options) *Server {
	o = o.withDefaults()
	return &Server{o: o, desk: desk{o.Admission}}
}

// Serve takes connections until ctx is done, and then closes the listener. A message whose last
// octet has arrived is still kept and answered; every other session ends with 421. Serve returns
// after the last session. The error is nil if ctx ended it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.o.check(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = l.Close() // the error of Accept tells the same
	})
	defer func() {
		if !stop() {
			<-closed // Accept may fail before Close has removed the socket's file
		}
	}()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	var pause time.Duration
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = 0
			sessions.Go(func() { s.ServeConn(ctx, conn) })
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if !isTemporary(err) {
			return errors.Join(err, l.Close())
		}
		// Usually there are too many open files; sessions that end help.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.o.Log.Warn("SMTP: can't accept connections", slog.String("error", err.Error()))
		s.o.Sleep(ctx, pause)
	}
}

// isTemporary reports an error of Accept after which the listener still works.
func isTemporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

// ServeConn serves one connection and closes it. It returns when the session has ended.
func (s *Server) ServeConn(ctx context.Context, conn net.Conn) {
	c := &clientSession{server: s, o: &s.o, ctx: ctx, conn: conn, begun: s.o.Now()}
	c.in.session, c.out.session = c, c
	c.log = s.o.Log.With(slog.String("client", clientName(conn)))
	defer c.close()
	defer c.survivePanic()
	defer context.AfterFunc(ctx, c.interrupt)()
	if c.refuseConnection() {
		return
	}
	defer s.peers.leave(c.key)
	c.run()
}

// refuseConnection counts a connection, and answers one that is not allowed.
func (c *clientSession) refuseConnection() bool {
	address := remoteAddress(c.conn)
	if len(c.o.Networks) > 0 && address.IsValid() && !isIn(address, c.o.Networks) {
		c.log.Warn("SMTP: refused a client: its network is not listed")
		c.turnAway(refusalReply{554, "5.7.1", "network", "your network is not listed here", "add it to networks in [listen.smtp]"})
		return true
	}
	c.key = peerKey(address)
	if c.o.Anonymous != nil {
		c.peer, c.unknown = c.o.Anonymous(c.conn)
		c.known = c.unknown == nil
		if c.known && c.peer.User != "" {
			c.key = c.peer.String()
		}
	}
	if rule := c.server.peers.enter(c.key, c.o.Limits); rule != "" {
		c.log.Warn("SMTP: refused a client: too many connections", slog.String("rule", rule))
		c.turnAway(refusalReply{421, "4.7.0", rule, "too many connections at once", "close some, or try again later"})
		return true
	}
	return false
}

// turnAway writes a reply instead of the greeting. A client that waits for TLS gets none.
func (c *clientSession) turnAway(r refusalReply) {
	if c.o.Implicit {
		return
	}
	c.refuse(r)
	c.hangUp()
}

// interrupt makes a blocked or later read fail, so that the session notices the stop. After the
// last octet of a message, nothing is read before its reply.
func (c *clientSession) interrupt() {
	c.stopping.Store(true)
	c.connMu.Lock()
	defer c.connMu.Unlock()
	_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // a connection without deadlines is asked at its next command
}

// peerCount counts connections, in all and by peer.
type peerCount struct {
	mu  sync.Mutex
	all int
	by  map[string]int
}

// enter counts a connection. If there are too many it counts nothing and returns the name of the
// limit.
func (p *peerCount) enter(key string, l Limits) (rule string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.all >= l.Connections:
		return "max_connections"
	case p.by[key] >= l.PerPeer:
		return "max_per_peer"
	}
	if p.by == nil {
		p.by = map[string]int{}
	}
	p.all++
	p.by[key]++
	return ""
}

func (p *peerCount) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.by[key]--; p.by[key] == 0 {
		delete(p.by, key)
	}
}

// remoteAddress returns the client's IP address; the zero Addr for other connections.
func remoteAddress(conn net.Conn) netip.Addr {
	if t, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// peerKey returns what counts as one peer: an IPv4 address, or an IPv6 network of 64 bits, which one
// machine may have to itself.
func peerKey(a netip.Addr) string {
	if a.Is6() && !a.IsLoopback() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func isIn(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// clientName names a connection in the log.
func clientName(conn net.Conn) string {
	if a := conn.RemoteAddr(); a != nil && a.String() != "" && a.String() != "@" {
		return a.String()
	}
	return "local"
}
