package imapclient_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

// identity is a certificate for 127.0.0.1 and localhost, and its CA.
type identity struct {
	server tls.Certificate
	roots  *x509.CertPool
	pin    [sha256.Size]byte
}

var newIdentity = sync.OnceValues(func() (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return identity{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return identity{}, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots, sha256.Sum256(der)}, nil
})

func theIdentity(t testing.TB) identity {
	t.Helper()
	id, err := newIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// script is a server that follows a script: each step reads a line of the
// client, or none, and sends lines.
type script struct {
	t     testing.TB
	conn  net.Conn
	r     *bufio.Reader
	heard []string      // every line of the client
	body  string        // the contents of literals
	over  chan struct{} // signalled after each connection that the server has closed
}

// want reads a line, which must be "TAG " and line; it returns the tag.
func (s *script) want(line string) string {
	s.t.Helper()
	tag, rest, _ := strings.Cut(s.line(), " ")
	if rest != line {
		s.t.Errorf("the client said %q, want %q", rest, line)
	}
	return tag
}

// line reads a line; "" at the end of the connection.
func (s *script) line() string {
	line, err := s.r.ReadString('\n')
	if err != nil {
		return ""
	}
	line = strings.TrimSuffix(line, "\r\n")
	s.heard = append(s.heard, line)
	return line
}

// say sends lines. A closed connection is reported by the client's side.
func (s *script) say(lines ...string) {
	_, _ = io.WriteString(s.conn, strings.Join(lines, "\r\n")+"\r\n")
}

// octets reads a literal.
func (s *script) octets(n int) string {
	b := make([]byte, n)
	got, _ := io.ReadFull(s.r, b)
	s.body += string(b[:got])
	return string(b[:got])
}

// login plays the beginning that most scripts share.
func (s *script) login(caps string) {
	s.t.Helper()
	s.say("* OK [CAPABILITY IMAP4rev1] ready")
	s.say(s.want(`LOGIN "me@example.org" "hunter22"`) + " OK [CAPABILITY IMAP4rev1 " + caps + "] welcome")
}

// list answers the LIST that follows.
func (s *script) list(lines ...string) {
	s.t.Helper()
	tag := s.want(`LIST "" "*"`)
	s.say(append(lines, tag+" OK done")...)
}

// upload reads an APPEND into a folder and answers it; it returns the message.
func (s *script) upload(folder, answer string) string {
	s.t.Helper()
	line := s.line()
	tag, rest, _ := strings.Cut(line, " ")
	head, size := cutSize(rest)
	if want := fmt.Sprintf(`APPEND %s (\Seen) `, folder); !strings.HasPrefix(head, want) {
		s.t.Errorf("the client said %q, want %q", line, want)
	}
	if !strings.HasSuffix(line, "+}") {
		s.say("+ go ahead")
	}
	message := s.octets(size)
	if end := s.line(); end != "" {
		s.t.Errorf("after the message comes %q", end)
	}
	s.say(tag + " " + answer)
	return message
}

// cutSize removes the announcement of a literal from a line.
func cutSize(line string) (head string, size int) {
	at := strings.LastIndexByte(line, '{')
	if at < 0 {
		return line, 0
	}
	size, _ = strconv.Atoi(strings.TrimRight(line[at+1:], "+}"))
	return line[:at], size
}

// bye answers LOGOUT, if it comes.
func (s *script) bye() {
	s.t.Helper()
	if line := s.line(); line != "" {
		tag, rest, _ := strings.Cut(line, " ")
		if rest != "LOGOUT" {
			s.t.Errorf("the client said %q, want LOGOUT", rest)
		}
		s.say("* BYE", tag+" OK bye")
	}
}

// played is the record of a script; call Wait before reading it.
type played struct {
	*script
	done chan struct{}
}

// end waits for the server, which must have played its whole script.
func (p *played) end() *script {
	<-p.done
	return p.script
}

// serve plays scripts over TLS, each on its own connection and one after the
// other, and returns the settings to connect.
func serve(t testing.TB, plays ...func(s *script)) (imapclient.Config, *played) {
	t.Helper()
	id := theIdentity(t)
	secured := make([]func(s *script), len(plays))
	for i, play := range plays {
		secured[i] = func(s *script) {
			secure := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{id.server}, ClientAuth: tls.RequestClientCert})
			s.conn, s.r = secure, bufio.NewReader(secure)
			if secure.Handshake() != nil {
				return // the client reports the reason
			}
			play(s)
		}
	}
	return serveRaw(t, secured...)
}

// serveRaw is serve without TLS.
func serveRaw(t testing.TB, plays ...func(s *script)) (imapclient.Config, *played) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second)) // a limit for a test that hangs
	p := &played{&script{t: t, over: make(chan struct{}, len(plays))}, make(chan struct{})}
	go func() {
		defer close(p.done)
		defer listener.Close()
		for i, play := range plays {
			conn, err := listener.Accept()
			if err != nil {
				if i > 0 {
					t.Errorf("connection %d did not come: %v", i+1, err)
				}
				return
			}
			if i == len(plays)-1 {
				listener.Close() // further connections are refused
			}
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // as above
			p.conn, p.r = conn, bufio.NewReader(conn)
			play(p.script)
			p.conn.Close() // over TLS, with close_notify
			conn.Close()
			p.over <- struct{}{}
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-p.done
	})
	return imapclient.Config{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port,
		Trust:   smtpclient.Trust{Roots: theIdentity(t).roots},
		Auth:    sasl.Credentials{Username: "me@example.org", Password: "hunter22"},
		Timeout: 10 * time.Second,
	}, p
}

// upgrade plays STARTTLS up to the handshake.
func (s *script) upgrade(id identity) {
	secure := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{id.server}})
	s.conn, s.r = secure, bufio.NewReader(secure)
}

// letter is a message for the tests.
type letter struct {
	text string
	size int64 // announced size; 0 means the real one
	err  error // returned after the text
	deaf bool  // ignores write errors
}

func (l letter) Size() int64 {
	if l.size != 0 {
		return l.size
	}
	return int64(len(l.text))
}

func (l letter) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, l.text)
	if l.deaf {
		err = nil
	}
	if err == nil {
		err = l.err
	}
	return int64(n), err
}

const hello = "Subject: hi\r\n\r\nHello\r\n"
