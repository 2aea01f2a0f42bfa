package sandbox

import (
	"errors"
	"fmt"
	"net"
)

func (s *Server) listen() error {
	if s.cfg.NoPorts {
		return nil
	}
	for _, port := range []struct {
		addr     string
		kind     portKind
		listener *net.Listener
	}{
		{s.cfg.SubmissionAddr, submissionPort, &s.submission},
		{s.cfg.TLSAddr, tlsPort, &s.implicit},
		{s.cfg.LMTPAddr, lmtpPort, &s.lmtp},
	} {
		if port.addr == "" {
			continue
		}
		l, err := listenLoopback(port.addr)
		if err != nil {
			return err
		}
		*port.listener = l
		s.group.Go(func() { s.acceptConns(l, port.kind) })
	}
	return nil
}

// listenLoopback refuses every address that another machine could reach. A name
// is refused too, because it may resolve to any address.
func listenLoopback(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want 127.0.0.1:port: %w", addr, err)
	}
	if host != "127.0.0.1" && host != "::1" {
		return nil, fmt.Errorf("listen on %q: the sandbox listens on 127.0.0.1 or [::1] only", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	return l, nil
}

// Serve handles a connection of the caller as if it had come to the submission
// port. It returns at once; the server closes the connection.
func (s *Server) Serve(raw net.Conn) { s.serveConn(raw, submissionPort) }

func (s *Server) acceptConns(l net.Listener, kind portKind) {
	for {
		raw, err := l.Accept()
		if err != nil {
			if s.isClosed() || errors.Is(err, net.ErrClosed) {
				return
			}
			s.logger.event(0, Remark, "accept: "+err.Error())
			continue
		}
		s.serveConn(raw, kind)
	}
}

// serveConn serves a connection in its own goroutine.
func (s *Server) serveConn(raw net.Conn, kind portKind) {
	id, excess, ok := s.registerConn(raw)
	if !ok {
		_ = raw.Close() // a refused connection; no data can be lost
		return
	}
	s.group.Go(func() {
		defer s.dropConn(raw)
		session := newSession(s, raw, kind, id)
		session.excess = excess
		session.run()
	})
}

// registerConn registers a connection; excess is true if it is beyond
// ConnectionsAtOnce.
func (s *Server) registerConn(raw net.Conn) (id int, excess, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || len(s.conns) >= s.cfg.MaxConnections {
		return 0, false, false
	}
	s.conns[raw] = struct{}{}
	s.lastID++
	excess = s.cfg.ConnectionsAtOnce.Max > 0 && len(s.conns) > s.cfg.ConnectionsAtOnce.Max
	return s.lastID, excess, true
}

func (s *Server) dropConn(raw net.Conn) {
	_ = raw.Close() // the session has closed it unless it failed early
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, raw)
	close(s.ended)
	s.ended = make(chan struct{})
}
