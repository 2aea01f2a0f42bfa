package smtpserver

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// carryOut does what a command says. An error ends the session.
func (c *clientSession) carryOut(line []byte) error {
	if isHTTP(line) {
		return errClientWeb
	}
	if c.commands++; c.commands > c.o.Limits.Commands {
		c.refuse(refusalReply{421, "4.7.0", "commands", "too many commands without a message", "connect again"})
		return errDone
	}
	verb, args, ok := splitCommand(line)
	if !ok {
		return c.misuse(500, "5.5.2", "syntax", "the command contains control characters or is not UTF-8", "send text")
	}
	switch verb {
	case "EHLO", "HELO":
		return c.greet(verb, args)
	case "MAIL":
		return c.mail(args)
	case "RCPT":
		return c.recipient(args)
	case "DATA":
		return c.data(args)
	case "BDAT":
		return c.chunk(args)
	case "AUTH":
		return c.auth(args, line)
	case "STARTTLS":
		return c.upgrade(args)
	case "RSET":
		c.endTransaction()
		c.reply(250, "2.0.0", "the transaction is ended")
	case "NOOP":
		c.reply(250, "2.0.0", "ok")
	case "VRFY":
		c.reply(252, "2.1.5", "addresses are checked at RCPT")
	case "HELP":
		c.reply(214, "2.0.0", "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT")
	case "QUIT":
		return errQuit
	case "EXPN", "ETRN", "TURN", "SEND", "SOML", "SAML", "LHLO", "XCLIENT", "XFORWARD":
		return c.misuse(502, "5.5.1", "command", verb+" is not offered here", "leave it out")
	default:
		return c.misuse(500, "5.5.1", "command", "this is no command of SMTP", "see HELP")
	}
	return nil
}

// splitCommand returns the verb in upper case and its arguments.
func splitCommand(line []byte) (verb, args string, ok bool) {
	for _, b := range line {
		if b < ' ' && b != '\t' || b == 0x7f {
			return "", "", false
		}
	}
	if !utf8.Valid(line) {
		return "", "", false
	}
	verb, args, _ = strings.Cut(string(line), " ")
	return strings.ToUpper(verb), strings.Trim(args, " \t"), true
}

// isHTTP recognises the first line of an HTTP request, which a browser sends if a page makes it.
func isHTTP(line []byte) bool {
	method, rest, _ := strings.Cut(string(line[:min(len(line), 16)]), " ")
	switch method {
	case "GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI":
		return rest != "" && (rest[0] == '/' || rest[0] == '*' || method == "CONNECT" || strings.HasPrefix(rest, "http"))
	}
	return false
}

// greet answers EHLO and HELO, which also end a transaction.
func (c *clientSession) greet(verb, args string) error {
	name, _, _ := strings.Cut(args, " ")
	if name == "" || len(name) > 255 {
		return c.misuse(501, "5.5.4", "syntax", verb+" needs the name of the client", "send "+verb+" and a name")
	}
	c.endTransaction()
	c.hello, c.extended = name, verb == "EHLO"
	if !c.extended {
		c.reply(250, "", c.o.Hostname)
		return nil
	}
	size, recipients := c.allowances()
	lines := []string{c.o.Hostname, "PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
		fmt.Sprintf("SIZE %d", size), fmt.Sprintf("LIMITS RCPTMAX=%d", recipients)}
	if c.o.TLS != nil && !c.secure {
		lines = append(lines, "STARTTLS")
	}
	if c.mayLogIn() && !c.login && (c.o.HasLogins == nil || c.o.HasLogins()) {
		lines = append(lines, "AUTH PLAIN LOGIN")
	}
	c.replyLines(250, lines)
	return nil
}

// allowances returns what the peer may send: octets and recipients of a message.
func (c *clientSession) allowances() (size int64, recipients int) {
	size, recipients = c.o.Limits.Size, c.o.Limits.Recipients
	if !c.known {
		return size, recipients
	}
	if g, err := c.server.desk.Grant(c.peer); err == nil { // MAIL gives the refusal
		if g.MaxSize > 0 {
			size = g.MaxSize
		}
		if g.MaxRecipients > 0 {
			recipients = g.MaxRecipients
		}
	}
	return size, recipients
}

// upgrade answers STARTTLS.
func (c *clientSession) upgrade(args string) error {
	switch {
	case c.o.TLS == nil:
		return c.misuse(502, "5.5.1", "tls", "this port has no TLS", "set the client's encryption to none")
	case c.secure:
		return c.misuse(503, "5.5.1", "tls", "the connection is encrypted already", "leave STARTTLS out")
	case args != "":
		return c.misuse(501, "5.5.4", "syntax", "STARTTLS has no arguments", "leave them out")
	case c.in.first < c.in.last: // RFC 3207 section 4: it might have been put in by another
		c.log.Warn("SMTP: ended a session: octets in the clear after STARTTLS")
		c.refuse(refusalReply{554, "5.5.1", "tls", "something was sent after STARTTLS, before TLS", "wait for the reply"})
		return errDone
	}
	c.endTransaction()
	c.reply(220, "2.0.0", "begin TLS")
	if err := c.out.flush(); err != nil {
		return err
	}
	if !c.startTLS() {
		return errNoHandshake
	}
	c.hello, c.extended = "", false
	return nil
}
