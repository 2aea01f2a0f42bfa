package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
)

// Server is a running sandbox.
type Server struct {
	cfg       Config
	profile   profile
	authority *authority
	tls       *tls.Config
	leaf      tls.Certificate
	store     *messageStore
	logger    *logger
	faults    *faultQueue
	rate      rateCounter
	lock      lock

	submission, implicit, lmtp net.Listener

	closed  chan struct{}
	group   sync.WaitGroup
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	ended   chan struct{} // closed and replaced when a connection ends
	lastID  int
	queueID int
	down    bool
}

// Start listens and serves until Close.
func Start(cfg Config) (*Server, error) {
	p, err := findProfile(cfg.Profile)
	if err != nil {
		return nil, err
	}
	if cfg, err = withDefaults(cfg, p); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, profile: p.withSoftware(cfg.Software), store: newStore(cfg), faults: newFaultQueue(cfg.Faults),
		logger: &logger{log: cfg.Log, now: cfg.Now},
		closed: make(chan struct{}), conns: map[net.Conn]struct{}{}, ended: make(chan struct{})}
	if cfg.NoPorts {
		return s, nil
	}
	if s.authority, err = newAuthority(); err != nil {
		return nil, err
	}
	if s.leaf, err = s.authority.serverCertificate(cfg.Certificate, s.Hosts()); err != nil {
		return nil, err
	}
	s.tls = s.tlsConfig()
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// maxSize returns the SIZE limit, 0 for none.
func (s *Server) maxSize() int64 {
	if s.cfg.MaxSize > 0 {
		return s.cfg.MaxSize
	}
	return s.profile.size
}

func (s *Server) tlsConfig() *tls.Config {
	cfg := &tls.Config{
		Certificates: []tls.Certificate{s.leaf},
		MinVersion:   tls.VersionTLS12,
		MaxVersion:   s.cfg.MaxTLS,
		ClientCAs:    s.authority.pool(),
		ClientAuth:   tls.VerifyClientCertIfGiven,
	}
	if s.cfg.RequireClientCertificate {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg
}

func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// nextQueueID returns the id of a message, or another {id} in a provider's
// reply.
func (s *Server) nextQueueID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queueID++
	return fmt.Sprintf("%08X%04d", uint32(s.cfg.Now().Unix()), s.queueID)
}

// Close ends all connections and returns when their goroutines have ended. It
// may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.down {
		s.down = true
		close(s.closed)
	}
	for raw := range s.conns {
		_ = raw.Close() // closing wakes a waiting session
	}
	s.mu.Unlock()
	var errs []error
	for _, l := range []net.Listener{s.submission, s.implicit, s.lmtp} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	s.group.Wait()
	return errors.Join(errs...)
}

// SubmissionAddr returns the address of the port with STARTTLS, or "" without
// ports.
func (s *Server) SubmissionAddr() string { return addrOf(s.submission) }

// TLSAddr returns the address of the port with TLS from the first byte, or ""
// without ports.
func (s *Server) TLSAddr() string { return addrOf(s.implicit) }

// LMTPAddr returns the address of the LMTP port, or "".
func (s *Server) LMTPAddr() string { return addrOf(s.lmtp) }

func addrOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Hosts returns the names in the certificate: the imitated hosts and those of
// the Config.
func (s *Server) Hosts() []string { return slices.Concat(s.profile.hosts, s.cfg.HostNames) }

// CAPEM returns the certificate of the CA to trust.
func (s *Server) CAPEM() []byte { return s.authority.pem() }

// WriteCA writes CAPEM to a world-readable file.
func (s *Server) WriteCA(path string) error {
	if err := os.WriteFile(path, s.CAPEM(), 0o644); err != nil {
		return fmt.Errorf("write the sandbox's CA: %w", err)
	}
	return nil
}

// CertificatePEM returns the server's own certificate, for pinning.
func (s *Server) CertificatePEM() []byte { return certificatePEM(s.leaf.Certificate[0]) }

// ClientCertificate creates a certificate with which an account logs in by AUTH
// EXTERNAL, and its key, both as PEM.
func (s *Server) ClientCertificate(account string) (certificate, key []byte, err error) {
	c, err := s.authority.clientCertificate(account)
	if err != nil {
		return nil, nil, err
	}
	return keyPairPEM(c)
}

// Messages returns the accepted messages, oldest first; above 512 MB the oldest
// are dropped.
func (s *Server) Messages() []Message { return s.store.listMessages() }

// WaitMessages waits until n messages were accepted in total.
func (s *Server) WaitMessages(ctx context.Context, n int) ([]Message, error) {
	return s.store.waitMessages(ctx, n)
}

// Received counts the accepted messages.
func (s *Server) Received() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.received
}

// Violations returns the clients' violations of the rules, at most 1000. It is
// empty for a correct client.
func (s *Server) Violations() []Violation {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return slices.Clone(s.store.violations)
}

// Connections returns the last 10,000 connections, oldest first.
func (s *Server) Connections() []Connection {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	list := make([]Connection, len(s.store.conns))
	for i, c := range s.store.conns {
		list[i] = *c
	}
	return list
}

// AddFault adds a fault to those of the Config.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("fault %s: %w", f, err)
	}
	s.faults.addFault(f)
	return nil
}
