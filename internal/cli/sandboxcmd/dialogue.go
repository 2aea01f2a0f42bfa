package sandboxcmd

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"sync"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// dialogueView prints a session in short: without greeting, QUIT and secrets, an EHLO
// reply as one line, and without the marks that Microsoft's servers add in brackets.
type dialogueView struct {
	console *console.Console
	words   interface {
		T(format string, args ...any) string
	}

	mu    sync.Mutex // the trace and the reply may come from two goroutines
	lines []string   // of a reply of several lines
	ended bool       // QUIT was sent
}

// showSent prints a line of the client.
func (v *dialogueView) showSent(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended = line == "QUIT"; v.ended {
		return
	}
	c := v.console
	c.Outf("  %s %s\n", c.Paint(c.StdoutWidth, console.Bold, "→"), line)
}

// showReceived prints a reply once its last line is here.
func (v *dialogueView) showReceived(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended || strings.HasPrefix(line, "220") {
		return
	}
	v.lines = append(v.lines, line)
	if len(line) > 3 && line[3] == '-' {
		return
	}
	if n := len(v.lines); n > 1 {
		line = v.words.T("%s (%d lines, with %s)", line[:3], n, lineWith(v.lines, "AUTH "))
	}
	v.lines = nil
	c, colour := v.console, console.Green
	if strings.HasPrefix(line, "4") || strings.HasPrefix(line, "5") {
		colour = console.Red
	}
	line, _, _ = strings.Cut(line, " [")
	if c.StdoutWidth > 0 {
		line = console.Truncate(line, c.StdoutWidth-console.Columns("  ← "))
	}
	c.Outf("  %s %s\n", c.Paint(c.StdoutWidth, colour, "←"), line)
}

// lineWith returns the text of the first line of a reply that begins with a keyword.
func lineWith(lines []string, keyword string) string {
	for _, line := range lines {
		if len(line) > 4 && strings.HasPrefix(line[4:], keyword) {
			return line[4:]
		}
	}
	return strings.TrimPrefix(lines[0], "250-")
}

// showMessage prints the size of a message in place of its text.
func (v *dialogueView) showMessage(octets string) {
	c := v.console
	c.Outf("  %s\n", c.Paint(c.StdoutWidth, console.Dim, "· "+v.words.T("the message, %s octets", octets)))
}

// traceEvent prints the session of this program's own client.
func (v *dialogueView) traceEvent(e yan.Event) {
	switch e.Direction {
	case smtpclient.Sent:
		v.showSent(e.Text)
	case smtpclient.Received:
		v.showReceived(e.Text)
	case smtpclient.Connected, smtpclient.Redialing, smtpclient.Waiting, smtpclient.Secured:
	default:
		v.showMessage(e.Text)
	}
}

// plainLogin logs in with a user name and a password, by PLAIN if the server offers it.
type plainLogin struct{ user, password string }

// Start implements the interface of net/smtp.
func (l plainLogin) Start(server *netsmtp.ServerInfo) (mechanism string, initial []byte, err error) {
	for _, offered := range server.Auth {
		if offered == "PLAIN" {
			return "PLAIN", []byte("\x00" + l.user + "\x00" + l.password), nil
		}
	}
	return "LOGIN", nil, nil
}

// Next implements the interface of net/smtp.
func (l plainLogin) Next(challenge []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(string(challenge), "User"):
		return []byte(l.user), nil
	}
	return []byte(l.password), nil
}

// plainMail is a message as devices write it: no Date, no Message-ID, raw UTF-8 in the
// Subject, a sender that only this machine knows.
func plainMail() string {
	return "From: Scanner <" + relayProgram + "@localhost>\r\nTo: " + relayFriend + "\r\nSubject: 扫描件 scan-0042.pdf\r\n\r\n3 pages\r\n"
}

// sendPlainly sends a message with Go's net/smtp, which knows nothing of Yan and nothing of
// OAuth 2.0, and returns the last reply.
func (v *dialogueView) sendPlainly(conn net.Conn, login plainLogin, from, to, text string) (smtp.Reply, error) {
	shown := &shownConn{Conn: conn, view: v}
	client, err := netsmtp.NewClient(shown, "127.0.0.1")
	if err != nil {
		return smtp.Reply{}, errors.Join(err, conn.Close())
	}
	defer client.Close()
	for _, step := range []func() error{
		func() error { return client.Hello(relayProgram) },
		func() error { return client.Auth(login) },
		func() error { return client.Mail(from) },
		func() error { return client.Rcpt(to) },
		func() error {
			w, err := client.Data()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(w, text)
			return errors.Join(err, w.Close())
		},
	} {
		if err := step(); err != nil {
			var refused *textproto.Error
			if errors.As(err, &refused) {
				return shown.last, nil
			}
			return smtp.Reply{}, err
		}
	}
	last := shown.last
	return last, client.Quit()
}

// shownConn prints the lines that pass through a connection.
type shownConn struct {
	net.Conn
	view    *dialogueView
	in, out []byte // of an unfinished line
	reading string // the last line of the server
	octets  int    // of the message; after 354
	last    smtp.Reply
	parser  smtp.ReplyParser
	silent  bool // after a refusal, when net/smtp sends "*" and QUIT
}

// Read implements net.Conn.
func (c *shownConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in = append(c.in, p[:n]...)
	for {
		line, rest, ok := strings.Cut(string(c.in), "\r\n")
		if !ok {
			return n, err
		}
		c.in = []byte(rest)
		c.readLine(line)
	}
}

// readLine prints a line of the server, but no challenge of AUTH.
func (c *shownConn) readLine(line string) {
	if c.silent {
		return
	}
	c.reading = line
	if reply, last, err := c.parser.Line([]byte(line)); err == nil && last {
		c.last, c.parser = reply, smtp.ReplyParser{}
		c.silent = reply.Code >= 500
	}
	if !strings.HasPrefix(line, "334") {
		c.view.showReceived(line)
	}
}

// Write implements net.Conn.
func (c *shownConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.out = append(c.out, p[:n]...)
	for {
		line, rest, ok := strings.Cut(string(c.out), "\r\n")
		if !ok {
			return n, err
		}
		c.out = []byte(rest)
		c.showLine(line)
	}
}

// showLine prints a line of the client without its secrets and without the message.
func (c *shownConn) showLine(line string) {
	switch {
	case c.silent:
	case strings.HasPrefix(c.reading, "354"):
		if line != "." {
			c.octets += len(line) + len("\r\n")
			return
		}
		c.view.showMessage(strconv.Itoa(c.octets))
		c.reading = ""
	case strings.HasPrefix(c.reading, "334"): // an answer of AUTH LOGIN
		if user, err := base64.StdEncoding.DecodeString(line); err == nil && len(user) > 0 {
			return
		}
	case strings.HasPrefix(line, "AUTH "):
		c.view.showSent(strings.Join(strings.Fields(line)[:2], " ") + " ****")
	default:
		c.view.showSent(line)
	}
}
