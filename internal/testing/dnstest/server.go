package dnstest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Server is a running DNS server. Its methods are safe for concurrent use.
type Server struct {
	zone records
	udp  net.PacketConn
	tcp  net.Listener
	work sync.WaitGroup

	mu      sync.Mutex
	queries []Query
	open    map[net.Conn]bool // nil after the server is closed
}

// Query is one question to the server.
type Query struct {
	Name    string // lower case, without the final dot
	Type    string // "MX"
	Network string // "udp" or "tcp"
}

func (q Query) String() string { return q.Type + " " + q.Name }

// Start runs a server that ends with the test. An invalid zone fails the test
// at once.
func Start(t testing.TB, zone Zone) *Server {
	t.Helper()
	s, err := startServer(zone)
	if err != nil {
		t.Fatalf("starting a DNS server: %v", err)
	}
	t.Cleanup(s.close)
	return s
}

func startServer(zone Zone) (*Server, error) {
	parsed, err := parse(zone)
	if err != nil {
		return nil, err
	}
	s := &Server{zone: parsed, open: map[net.Conn]bool{}}
	if s.udp, s.tcp, err = listenBoth(); err != nil {
		return nil, err
	}
	s.work.Go(s.serveUDP)
	s.work.Go(s.serveTCP)
	return s, nil
}

// listenBoth finds a port that is free for both UDP and TCP.
func listenBoth() (udp net.PacketConn, tcp net.Listener, err error) {
	for range 50 {
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, nil, err
		}
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			return udp, tcp, nil
		}
		if closeErr := tcp.Close(); closeErr != nil {
			return nil, nil, closeErr
		}
	}
	return nil, nil, err
}

// Addr returns the server's address for UDP and TCP: "127.0.0.1:port".
func (s *Server) Addr() string { return s.tcp.Addr().String() }

// Resolver returns a resolver that queries only this server. It is Go's own: it
// waits for a missing answer until the context's deadline, at most ten seconds,
// and a cancelled context does not end a query for anything but addresses.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Addr())
	}}
}

// Queries returns the queries, oldest first; one that was repeated over TCP,
// because its answer was too long for UDP, is there twice.
func (s *Server) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// Asked reports whether a query was received.
func (s *Server) Asked(kind, name string) bool {
	name = strings.TrimSuffix(canonicalName(name), ".")
	return slices.ContainsFunc(s.Queries(), func(q Query) bool { return q.Type == kind && q.Name == name })
}

func (s *Server) close() {
	s.mu.Lock()
	for conn := range s.open {
		_ = conn.Close() // its reader ends, whether or not Close fails
	}
	s.open = nil
	s.mu.Unlock()
	_ = s.udp.Close()
	_ = s.tcp.Close()
	s.work.Wait()
}

func (s *Server) serveUDP() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := s.udp.ReadFrom(buffer)
		if err != nil {
			return // closed
		}
		if reply := s.answerPacket("udp", buffer[:n]); reply != nil {
			_, _ = s.udp.WriteTo(reply, from) // the client may be gone
		}
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		if s.open == nil {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.open[conn] = true
		s.mu.Unlock()
		s.work.Go(func() {
			s.serveConn(conn)
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
			_ = conn.Close()
		})
	}
}

// serveConn answers queries over TCP, where a length precedes each message (RFC
// 1035 section 4.2.2).
func (s *Server) serveConn(conn net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := s.answerPacket("tcp", query)
		if reply == nil {
			continue
		}
		reply = append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

// answerPacket returns the answer to a packet; nil means no answer.
func (s *Server) answerPacket(network string, packet []byte) []byte {
	var query dnsmessage.Message
	if query.Unpack(packet) != nil || query.Response || len(query.Questions) != 1 {
		return nil
	}
	q := query.Questions[0]
	s.record(network, q)
	answers, code, failure := s.zone.answerQuestion(q)
	switch failure {
	case silence:
		return nil
	case servfail:
		code = dnsmessage.RCodeServerFailure
	case refused:
		code = dnsmessage.RCodeRefused
	}
	// With neither Authoritative nor RecursionAvailable, Go's resolver would
	// take an empty answer for a failed referral and query again.
	reply := dnsmessage.Message{Questions: query.Questions, Answers: answers, Header: dnsmessage.Header{
		ID: query.ID, Response: true, Authoritative: true, RecursionDesired: query.RecursionDesired,
		RecursionAvailable: true, RCode: code}}
	packed, err := reply.Pack()
	if err != nil || network == "udp" && len(packed) > udpSize(query) {
		reply.Answers, reply.Truncated = nil, err == nil
		if err != nil {
			reply.RCode = dnsmessage.RCodeServerFailure
		}
		if packed, err = reply.Pack(); err != nil {
			return nil
		}
	}
	return packed
}

// udpSize returns the client's limit for UDP: 512 octets (RFC 1035 section
// 4.2.1), or that of its OPT record (RFC 6891 section 6.2.5).
func udpSize(query dnsmessage.Message) int {
	for _, extra := range query.Additionals {
		if extra.Header.Type == dnsmessage.TypeOPT {
			return max(512, int(extra.Header.Class))
		}
	}
	return 512
}

func (s *Server) record(network string, q dnsmessage.Question) {
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	if _, known := types()[kind]; !known {
		kind = fmt.Sprintf("TYPE%d", uint16(q.Type)) // RFC 3597 section 5
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, Query{Name: strings.TrimSuffix(canonicalName(q.Name.String()), "."), Type: kind, Network: network})
}
