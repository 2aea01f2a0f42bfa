package sandbox

import "context"

// Disconnect closes every open connection, like a server that drops idle
// clients. The server goes on listening.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for raw := range s.conns {
		_ = raw.Close() // the connection may be closed already
	}
}

// WaitIdle waits until no connection is open.
func (s *Server) WaitIdle(ctx context.Context) error {
	for {
		s.mu.Lock()
		n, changed := len(s.conns), s.ended
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
