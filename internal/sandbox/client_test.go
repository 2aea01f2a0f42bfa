package sandbox

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// client is a raw SMTP client: it sends exactly the octets of the test and reports
// the server's reaction.
type client struct {
	t    testing.TB
	s    *Server
	conn net.Conn
	in   *bufio.Reader
}

// kind is the kind of the server's reaction: a reply, or another event.
type kind string

const (
	replied kind = "reply"
	stalled kind = "nothing"
	closed  kind = "end of the connection"
	aborted kind = "reset"
	garbled kind = "garbage"
	endless kind = "a reply without end"
	mixed   kind = "a reply with several codes"
)

// answer is one reply, or another reaction of the server.
type answer struct {
	kind kind
	code string
	raw  string
}

func dial(t testing.TB, s *Server, addr string) *client {
	t.Helper()
	c, err := tryDial(t, s, addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tryDial returns the error of connect, because a server that resets at once
// can be faster.
func tryDial(t testing.TB, s *Server, addr string) (*client, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, s: s, conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) tlsConfig() *tls.Config {
	return &tls.Config{RootCAs: c.s.pool(c.t), ServerName: "localhost"}
}

// secure runs the TLS handshake and returns its error to the test.
func (c *client) secure(cfg *tls.Config, patience time.Duration) error {
	secured := tls.Client(c.conn, cfg)
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := secured.Handshake(); err != nil {
		return err
	}
	c.conn = secured
	c.in.Reset(secured)
	return c.conn.SetDeadline(time.Time{})
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.t.Logf("send %.60q: %v", raw, err)
	}
}

// ask sends lines and reads one answer.
func (c *client) ask(lines ...string) answer {
	c.t.Helper()
	c.send(strings.Join(lines, "\r\n") + "\r\n")
	return c.read(patient)
}

// want sends lines and fails the test unless the reply begins with prefix.
func (c *client) want(prefix string, lines ...string) answer {
	c.t.Helper()
	a := c.ask(lines...)
	if a.kind != replied || !strings.HasPrefix(a.raw, prefix) {
		c.t.Fatalf("%.80q: got %s %.200q, want %q", lines, a.kind, a.raw, prefix)
	}
	return a
}

const enough = 128 << 10

// read reads one reply, and no octet after it.
func (c *client) read(patience time.Duration) answer {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return answer{kind: closed}
	}
	var a answer
	for {
		line, err := c.in.ReadString('\n')
		a.raw += line
		if err != nil {
			a.kind = kindOf(err)
			return a
		}
		if len(line) < 6 || line[3] != ' ' && line[3] != '-' || strings.Trim(line[:3], "0123456789") != "" {
			a.kind = garbled
			return a
		}
		if a.code != "" && a.code != line[:3] {
			a.kind = mixed
			return a
		}
		a.code = line[:3]
		if line[3] == ' ' {
			a.kind = replied
			return a
		}
		if len(a.raw) > enough {
			a.kind = endless
			return a
		}
	}
}

func kindOf(err error) kind {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return stalled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return closed
	}
	return aborted
}

// login returns a client that has logged in over STARTTLS.
func login(t testing.TB, s *Server, user string) *client {
	t.Helper()
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	c.want("220", "STARTTLS")
	if err := c.secure(c.tlsConfig(), patient); err != nil {
		t.Fatal(err)
	}
	c.want("250", "EHLO client.example")
	if user == "" {
		return c
	}
	if strings.Contains(s.offerWithTLS(), "PLAIN") {
		c.want("235", "AUTH PLAIN "+plainResponse(user, Password))
		return c
	}
	c.want("334", "AUTH LOGIN")
	c.want("334", b64(user))
	c.want("235", b64(Password))
	return c
}

func (s *Server) offerWithTLS() string { return s.profile.ehloOffer(s.cfg, true, false).ehloReply() }

func (c *client) wantGreeting() {
	c.t.Helper()
	if a := c.read(patient); a.code != "220" {
		c.t.Fatalf("greeting: %s %q", a.kind, a.raw)
	}
}

// wantEnd reads the end of the connection.
func (c *client) wantEnd() {
	c.t.Helper()
	if a := c.read(patient); a.kind != closed && a.kind != aborted || a.raw != "" {
		c.t.Fatalf("want the end of the connection, got %s %q", a.kind, a.raw)
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func plainResponse(user, secret string) string { return b64("\x00" + user + "\x00" + secret) }

// patient is the time to wait for a reply that must come.
const patient = 10 * time.Second
