// Package imaptest runs an IMAP server with a Sent folder on loopback, for
// tests: the test adds the messages that a provider would have saved there.
//
//	sent := imaptest.Start(t)
//	sent.Append("Message-ID: <1@example.org>\r\n\r\nhi\r\n")
//	found, err := imapclient.Search(ctx, imapclient.Config{Host: sent.Host, Port: sent.Port,
//		Trust: smtpclient.Trust{Roots: sent.Roots}, Auth: sasl.Credentials{Username: sent.User, Password: sent.Password}}, "<1@example.org>")
//
// It speaks TLS from the first octet. [Server.Searches] and [Server.Logins]
// record the requests; [Server.Messages] returns the folder's messages,
// including those that clients appended; [Server.Refuse] makes it refuse to
// open the folder. The protocol is implemented by go-imap.
package imaptest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Server is a mailbox with the folders INBOX and Sent, in memory.
type Server struct {
	Host  string // "localhost", the name in the certificate
	Port  int
	Roots *x509.CertPool // trusts the certificate
	PEM   []byte         // the same as a PEM file
	// User and Password are the only valid login.
	User, Password string

	t    testing.TB
	user *imapmemserver.User

	mu       sync.Mutex
	searches []string
	messages []string
	logins   int
	refusal  string
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartAs(t, "me@example.org", "open sesame")
}

// StartAs is Start with a login, for the account of a sandbox in the same test.
// That account's CA file must also contain PEM.
func StartAs(t testing.TB, user, password string) *Server {
	t.Helper()
	s := &Server{Host: "localhost", User: user, Password: password, t: t}
	certificate := s.createCertificate()
	s.user = imapmemserver.NewUser(s.User, s.Password)
	s.must(s.user.Create("INBOX", nil))
	s.must(s.user.Create("Sent", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrSent}}))
	s.putMessage("Message-ID: <older@example.org>\r\n\r\n") // clients don't search an empty folder
	memory := imapmemserver.New()
	memory.AddUser(s.user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{memory.NewSession(), s}, nil, nil
		},
		Caps:   imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapLiteralPlus: {}, imap.CapSpecialUse: {}},
		Logger: log.New(io.Discard, "", 0), // closed connections are not logged
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.Port = listener.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // Close before Serve does not close it
		<-done
	})
	return s
}

// URL returns the server's URL for the configuration of an account.
func (s *Server) URL() string { return fmt.Sprintf("imaps://%s:%d", s.Host, s.Port) }

// Append adds a message to the Sent folder.
func (s *Server) Append(message string) {
	s.t.Helper()
	s.putMessage(message)
	s.keepMessage(message)
}

func (s *Server) putMessage(message string) {
	s.t.Helper()
	_, err := s.user.Append("Sent", strings.NewReader(message), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	s.must(err)
}

// Messages returns the messages added to the Sent folder, oldest first, without
// the one that Start adds.
func (s *Server) Messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Searches returns the searched Message-IDs, in order, without angle brackets.
// The second form that a client tries after the first is not counted again.
func (s *Server) Searches() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.searches)
}

// Logins counts the successful logins.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Refuse makes the server refuse to open a folder, with a text; "" stops that.
func (s *Server) Refuse(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = text
}

func (s *Server) keepMessage(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, message)
}

// createCertificate creates the certificate.
func (s *Server) createCertificate() tls.Certificate {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{s.Host},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	s.must(err)
	leaf, err := x509.ParseCertificate(der)
	s.must(err)
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(leaf)
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("IMAP server: %v", err)
	}
}

// imapSession is a connection whose commands are recorded.
type imapSession struct {
	imapserver.Session
	server *Server
}

// Login counts successful logins.
func (c *imapSession) Login(user, password string) error {
	err := c.Session.Login(user, password)
	if err == nil {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		c.server.logins++
	}
	return err
}

// Select also handles EXAMINE.
func (c *imapSession) Select(mailbox string, options *imap.SelectOptions) (*imap.SelectData, error) {
	c.server.mu.Lock()
	refusal := c.server.refusal
	c.server.mu.Unlock()
	if refusal != "" {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: refusal}
	}
	return c.Session.Select(mailbox, options)
}

// Append stores the message.
func (c *imapSession) Append(mailbox string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	data, err := c.Session.Append(mailbox, bytes.NewReader(text), options)
	if err == nil && mailbox == "Sent" {
		c.server.keepMessage(string(text))
	}
	return data, err
}

// Search records the Message-ID.
func (c *imapSession) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	for _, field := range criteria.Header {
		id, spelt := strings.CutPrefix(field.Value, "<")
		if strings.EqualFold(field.Key, "Message-ID") && (spelt || !c.server.wasLast(id)) {
			c.server.noteSearch(strings.TrimSuffix(id, ">"))
		}
	}
	return c.Session.Search(kind, criteria, options)
}

func (s *Server) wasLast(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.searches) > 0 && s.searches[len(s.searches)-1] == id
}

func (s *Server) noteSearch(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches = append(s.searches, id)
}
