package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Config says what to imitate and how. The zero Config is the plain profile
// on free ports.
type Config struct {
	// Profile is a name of [Profiles]; "" is plain.
	Profile string
	// Accounts maps a login to its secret, which is its OAuth 2.0 token, too;
	// nil is [DefaultLogin] with [Password].
	Accounts map[string]string
	// SubmissionAddr, TLSAddr and LMTPAddr are where to listen: plain with
	// STARTTLS, TLS from the first byte, and LMTP with STARTTLS. The host must
	// be 127.0.0.1 or [::1]. "" is a free port of 127.0.0.1; for LMTPAddr it
	// means no LMTP.
	SubmissionAddr, TLSAddr, LMTPAddr string

	Certificate Certificate
	// MaxTLS is the newest TLS version, like tls.VersionTLS12; 0 for no limit.
	MaxTLS uint16
	// RequireClientCertificate refuses a TLS client without one of this
	// server's CA ([Server.ClientCertificate]).
	RequireClientCertificate bool

	// Without withholds keywords of EHLO, like "PIPELINING"; what they stand for is
	// then refused.
	Without []string
	// Mechanisms replaces the profile's mechanisms.
	Mechanisms []string
	// RequireAuth refuses MAIL before AUTH in the plain profile, too.
	RequireAuth bool
	// AllowCleartextPassword takes and offers AUTH without TLS and counts no
	// violation.
	AllowCleartextPassword bool
	// MaxSize is the SIZE limit in octets, MaxRecipients that of one message; 0 is
	// the profile's.
	MaxSize       int64
	MaxRecipients int

	// Faults happen at their stage each time, or Times times.
	Faults []Fault
	// Pace is called between the bytes of a drip; nil sends them as fast as
	// they go, one write for each.
	Pace func()
	// IdleTimeout closes a connection on which nothing moves; 0 is 5 minutes
	// (RFC 5321 section 4.5.3.2.7).
	IdleTimeout time.Duration

	// Maildir is a folder that gets one Maildir for each recipient; "" keeps
	// messages in memory only.
	Maildir string
	// Discard counts messages but keeps none in memory.
	Discard bool

	// Log is called with each line of each conversation, one at a time.
	Log func(Event)
	// ShowSecrets leaves the AUTH exchanges in the log.
	ShowSecrets bool
	// Now is the clock of greetings, queue ids and messages; nil is time.Now.
	Now func() time.Time
}

// Server is a running sandbox.
type Server struct {
	cfg       Config
	profile   profile
	authority *authority
	tls       *tls.Config
	leaf      tls.Certificate
	store     *store
	logger    *logger
	faults    *faultQueue

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
	s := &Server{cfg: cfg, profile: p, store: newStore(cfg), faults: newFaultQueue(cfg.Faults),
		logger: &logger{log: cfg.Log, now: cfg.Now},
		closed: make(chan struct{}), conns: map[net.Conn]struct{}{}, ended: make(chan struct{})}
	if s.authority, err = newAuthority(); err != nil {
		return nil, err
	}
	if s.leaf, err = s.authority.server(cfg.Certificate, p.hosts); err != nil {
		return nil, err
	}
	s.tls = s.tlsConfig()
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func withDefaults(cfg Config, p profile) (Config, error) {
	for _, f := range cfg.Faults {
		if err := f.check(); err != nil {
			return cfg, fmt.Errorf("fault %s: %w", f, err)
		}
	}
	if cfg.MaxSize < 0 || cfg.MaxRecipients < 0 || cfg.IdleTimeout < 0 {
		return cfg, errors.New("a limit or time-out of the sandbox is negative")
	}
	for _, m := range cfg.Mechanisms {
		if !slices.Contains(mechanisms(), m) {
			return cfg, fmt.Errorf("no mechanism %q; there are %s", m, joinWords(mechanisms()))
		}
	}
	if cfg.Accounts == nil {
		cfg.Accounts = map[string]string{"me@" + p.domain: Password}
	}
	cfg.Accounts = maps.Clone(cfg.Accounts)
	if cfg.MaxRecipients == 0 {
		cfg.MaxRecipients = p.maxRecipients
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	for _, addr := range []*string{&cfg.SubmissionAddr, &cfg.TLSAddr} {
		if *addr == "" {
			*addr = "127.0.0.1:0"
		}
	}
	return cfg, nil
}

// maxSize is the SIZE limit, 0 for none.
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

func (s *Server) listen() error {
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
		s.group.Go(func() { s.accept(l, port.kind) })
	}
	return nil
}

// listenLoopback refuses every address that another machine could reach. A
// name is refused, too: what it resolves to is not ours to say.
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

// maxSessions bounds the connections that are open at once.
const maxSessions = 1000

func (s *Server) accept(l net.Listener, kind portKind) {
	for {
		raw, err := l.Accept()
		if err != nil {
			if s.isClosed() || errors.Is(err, net.ErrClosed) {
				return
			}
			s.logger.event(0, Remark, "accept: "+err.Error())
			continue
		}
		id, ok := s.admit(raw)
		if !ok {
			_ = raw.Close() // refused; there is nothing to lose
			continue
		}
		s.group.Go(func() {
			defer s.forget(raw)
			newSession(s, raw, kind, id).run()
		})
	}
}

func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

func (s *Server) admit(raw net.Conn) (id int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || len(s.conns) >= maxSessions {
		return 0, false
	}
	s.conns[raw] = struct{}{}
	s.lastID++
	return s.lastID, true
}

func (s *Server) forget(raw net.Conn) {
	_ = raw.Close() // the session has closed it unless it failed early
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, raw)
	close(s.ended)
	s.ended = make(chan struct{})
}

// nextQueueID numbers messages and other {id}s of a provider's words.
func (s *Server) nextQueueID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queueID++
	return fmt.Sprintf("%08X%04d", uint32(s.cfg.Now().Unix()), s.queueID)
}

// Close ends all connections and returns when their goroutines have ended.
// Closing twice does no harm.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.down {
		s.down = true
		close(s.closed)
	}
	for raw := range s.conns {
		_ = raw.Close() // this is how a session that waits is told
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

// SubmissionAddr is the address of the port with STARTTLS.
func (s *Server) SubmissionAddr() string { return s.submission.Addr().String() }

// TLSAddr is the address of the port with TLS from the first byte.
func (s *Server) TLSAddr() string { return s.implicit.Addr().String() }

// LMTPAddr is the address of the LMTP port; "" without one.
func (s *Server) LMTPAddr() string {
	if s.lmtp == nil {
		return ""
	}
	return s.lmtp.Addr().String()
}

// Hosts are the imitated host names, for which the certificate is good, too.
func (s *Server) Hosts() []string { return slices.Clone(s.profile.hosts) }

// CAPEM is the certificate of the CA to trust.
func (s *Server) CAPEM() []byte { return s.authority.pem() }

// WriteCA writes CAPEM to a file that everybody may read.
func (s *Server) WriteCA(path string) error {
	if err := os.WriteFile(path, s.CAPEM(), 0o644); err != nil {
		return fmt.Errorf("write the sandbox's CA: %w", err)
	}
	return nil
}

// CertificatePEM is the certificate that the server shows, to pin it.
func (s *Server) CertificatePEM() []byte { return certificatePEM(s.leaf.Certificate[0]) }

// ClientCertificate makes a certificate with which an account logs in by AUTH
// EXTERNAL, and its key, both PEM.
func (s *Server) ClientCertificate(account string) (certificate, key []byte, err error) {
	c, err := s.authority.client(account)
	if err != nil {
		return nil, nil, err
	}
	return keyPairPEM(c)
}

// Messages are the accepted messages in the order in which they came; beyond
// 512 MB of them the oldest are dropped.
func (s *Server) Messages() []Message { return s.store.list() }

// WaitMessages waits until n messages were accepted in all.
func (s *Server) WaitMessages(ctx context.Context, n int) ([]Message, error) {
	return s.store.wait(ctx, n)
}

// Received counts the accepted messages.
func (s *Server) Received() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.received
}

// Violations lists what clients did against the rules, at most 1000. A good
// client's list is empty.
func (s *Server) Violations() []Violation {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return slices.Clone(s.store.violations)
}

// Connections lists the last 10,000 connections, the oldest first.
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
	s.faults.add(f)
	return nil
}

// faultQueue holds the faults that do not belong to one connection.
type faultQueue struct {
	mu    sync.Mutex
	queue []Fault
}

func newFaultQueue(faults []Fault) *faultQueue { return &faultQueue{queue: slices.Clone(faults)} }

func (q *faultQueue) add(f Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, f)
}

// take finds the first fault of a stage and counts it off.
func (q *faultQueue) take(stage smtp.Stage, midway bool) *Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.queue {
		if f.Stage != stage || f.Octets > 0 != midway {
			continue
		}
		if f.Times == 1 {
			q.queue = slices.Delete(q.queue, i, i+1)
		} else if f.Times > 1 {
			q.queue[i].Times--
		}
		return &f
	}
	return nil
}
