package smtpclient_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// issueRSA returns a certificate with an RSA key, as old servers have.
func (a *authority) issueRSA(name string) tls.Certificate {
	a.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name},
		KeyUsage: x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature, NotAfter: time.Now().Add(time.Hour)}, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The offered cipher suites are listed here, too: neither a newer Go nor a setting changes them
// unnoticed.
func TestWhatTLSOffers(t *testing.T) {
	t.Parallel()
	forward := []uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014}
	rsaOnly := []uint16{0x009c, 0x009d, 0x002f, 0x0035}
	thirteen := []uint16{0x1301, 0x1302, 0x1303}
	ca := newAuthority(t)
	for name, tc := range map[string]struct {
		rsa, small bool
		suites     []uint16
		curves     []tls.CurveID
	}{
		"as it is":   {false, false, forward, []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}},
		"RSA":        {true, false, append(slices.Clone(forward), rsaOnly...), []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}},
		"small":      {false, true, forward, []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}},
		"RSA, small": {true, true, append(slices.Clone(forward), rsaOnly...), []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hellos := make(chan *tls.ClientHelloInfo, 1)
			server := &secured{implicit: true, tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))},
				GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) { hellos <- h; return nil, nil }}}
			conn, err := smtpclient.Dial(t.Context(), server.listen(t, smtpclient.Config{SmallHello: tc.small,
				Trust: smtpclient.Trust{Roots: ca.pool(), RSAKeyExchange: tc.rsa}}))
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			hello := <-hellos
			offered := sorted(slices.DeleteFunc(slices.Clone(hello.CipherSuites), func(s uint16) bool { return slices.Contains(thirteen, s) }))
			if !slices.Equal(offered, sorted(tc.suites)) || len(hello.CipherSuites) != len(offered)+len(thirteen) {
				t.Errorf("suites %04x", hello.CipherSuites)
			}
			if !slices.Equal(hello.SupportedCurves, tc.curves) {
				t.Errorf("groups %v", hello.SupportedCurves)
			}
			if !slices.Equal(hello.SupportedVersions, []uint16{tls.VersionTLS13, tls.VersionTLS12}) {
				t.Errorf("versions %04x", hello.SupportedVersions)
			}
			if conn.SmallHello() != tc.small {
				t.Errorf("small: %v", conn.SmallHello())
			}
		})
	}
}

func sorted(suites []uint16) []uint16 {
	suites = slices.Clone(suites)
	slices.Sort(suites)
	return suites
}

// A server that supports only an RSA key exchange is refused unless that is allowed; then its
// certificate is verified as always, and the trace names the weakness.
func TestRSAKeyExchange(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	cert := ca.issueRSA("mail.example.org")
	for _, suite := range []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA} {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			t.Parallel()
			server := &secured{implicit: true, tls: &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}}
			address := server.listen(t, smtpclient.Config{})
			dial := func(trust smtpclient.Trust) (*smtpclient.Conn, *smtpclient.Handshake, error) {
				var secured *smtpclient.Handshake
				cfg := address
				cfg.Trust, cfg.Trace = trust, func(e smtpclient.Event) {
					if e.Direction == smtpclient.Secured {
						secured = e.Handshake
					}
				}
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if conn != nil {
					conn.Close()
				}
				return conn, secured, err
			}
			if _, _, err := dial(smtpclient.Trust{Roots: ca.pool()}); err == nil || stageOf(t, err).Stage != smtp.StageTLS {
				t.Errorf("not allowed: %v", err)
			}
			if _, _, err := dial(smtpclient.Trust{Roots: stranger.pool(), RSAKeyExchange: true}); !a[x509.UnknownAuthorityError](err) {
				t.Errorf("of a stranger: %v", err)
			}
			conn, h, err := dial(smtpclient.Trust{Roots: ca.pool(), RSAKeyExchange: true})
			if err != nil {
				t.Fatal(err)
			}
			if conn.TLS().CipherSuite != suite || !h.NoForwardSecrecy || h.KeyExchange != "RSA" || h.Name != "mail.example.org" {
				t.Errorf("%+v", h)
			}
		})
	}
	// A server that supports forward secrecy uses it.
	server := &secured{implicit: true, tls: &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12}}
	conn, err := smtpclient.Dial(t.Context(), server.listen(t, smtpclient.Config{Trust: smtpclient.Trust{Roots: ca.pool(), RSAKeyExchange: true}}))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if suite := conn.TLS().CipherSuite; suite != tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 {
		t.Errorf("took %s", tls.CipherSuiteName(suite))
	}
}

// box is a middlebox that disturbs a ClientHello of more than 1200 octets, or any with all.
type box struct {
	net.Conn
	does string // close, reset or stall
	all  bool
	once sync.Once
	rest []byte
}

func (b *box) Read(p []byte) (n int, err error) {
	b.once.Do(func() {
		head := make([]byte, 5)
		if _, err = io.ReadFull(b.Conn, head); err != nil {
			return
		}
		b.rest = append(head, make([]byte, binary.BigEndian.Uint16(head[3:]))...)
		if _, err = io.ReadFull(b.Conn, b.rest[5:]); err != nil || len(b.rest) <= 1200 && !b.all {
			return
		}
		switch b.does {
		default:
			return
		case "reset":
			_ = b.Conn.(*net.TCPConn).SetLinger(0)
			err = b.Conn.Close()
		case "close":
			err = b.Conn.Close()
		case "stall":
			_, err = b.Conn.Read(make([]byte, 1)) // until the client leaves
		}
		err = errors.Join(err, io.EOF)
	})
	if err != nil {
		return 0, err
	}
	if len(b.rest) > 0 {
		n = copy(p, b.rest)
		b.rest = b.rest[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// listenWithBox listens with a middlebox before a TLS server. dials counts the connections.
func (s *secured) listenWithBox(t *testing.T, does string, all bool, cfg smtpclient.Config) (smtpclient.Config, *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	dials := new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			go func() {
				defer conn.Close()
				s.accept(&box{Conn: conn, does: does, all: all})
			}()
		}
	}()
	cfg.Host, cfg.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	cfg.Trust.ServerName = "mail.example.org"
	return cfg, dials
}

func TestSmallerHello(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	server := &secured{implicit: true, tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}}}
	for _, does := range []string{"close", "reset", "stall"} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			redialed := 0
			base := smtpclient.Config{Trust: smtpclient.Trust{Roots: ca.pool()}, Timeouts: smtpclient.Timeouts{Silence: 200 * time.Millisecond},
				Trace: func(e smtpclient.Event) {
					if e.Direction == smtpclient.Redialing {
						redialed++
					}
				}}
			cfg, dials := server.listenWithBox(t, does, false, base)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			conn.Quit(t.Context())
			if !conn.SmallHello() || dials.Load() != 2 || redialed != 1 || conn.TLS().CurveID != tls.X25519 {
				t.Errorf("small %v, %d dials, %d of them said, %v", conn.SmallHello(), dials.Load(), redialed, conn.TLS().CurveID)
			}
			// A known server is not tried with the large ClientHello again.
			cfg, dials = server.listenWithBox(t, does, false, base)
			cfg.SmallHello = true
			if conn, err = smtpclient.Dial(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if dials.Load() != 1 {
				t.Errorf("%d dials, though it was known", dials.Load())
			}
			// A server that never answers is dialed at most twice.
			base.Timeouts.Handshake = 2 * time.Second // enough for the second try on a busy machine, too
			cfg, dials = server.listenWithBox(t, does, true, base)
			_, err = smtpclient.Dial(t.Context(), cfg)
			if at := stageOf(t, err); at.Stage != smtp.StageTLS || does != "stall" && !errors.Is(err, smtpclient.ErrNoServerHello) || dials.Load() != 2 {
				t.Errorf("never an answer: %v after %d dials", err, dials.Load())
			}
		})
	}
	// After the server has answered, there is no second dial: the size of the ClientHello is not
	// the problem.
	pin := sha256.Sum256([]byte("another"))
	for name, trust := range map[string]smtpclient.Trust{"a stranger's": {Roots: stranger.pool()}, "not pinned": {Pin: &pin}} {
		cfg, dials := server.listenWithBox(t, "", false, smtpclient.Config{Trust: trust})
		if _, err := smtpclient.Dial(t.Context(), cfg); err == nil || errors.Is(err, smtpclient.ErrNoServerHello) || dials.Load() != 1 {
			t.Errorf("%s: %v after %d dials", name, err, dials.Load())
		}
	}
}
