package smtpserver

import (
	"strings"
	"time"
)

// receivedField returns the value of the trace field of a message (RFC 5321 section 4.4), unfolded. The client's name and
// address are in it only if that is wanted: recipients can read the field.
func (c *clientSession) receivedField(utf8 bool) string {
	var b strings.Builder
	if c.o.Trace {
		b.WriteString("from " + harmlessName(c.hello) + " (" + traceAddress(c) + ") ")
	}
	b.WriteString("by " + harmlessName(c.o.Hostname) + " (Yan) with " + c.protocol(utf8) + "; " + c.o.Now().Format(time.RFC1123Z))
	return b.String()
}

// traceAddress returns the client's address as a literal.
func traceAddress(c *clientSession) string {
	a := remoteAddress(c.conn)
	switch {
	case !a.IsValid():
		return "local"
	case a.Is6():
		return "[IPv6:" + a.String() + "]"
	}
	return "[" + a.String() + "]"
}

// protocol returns the name of the protocol in trace fields (RFC 3848, RFC 6531 section 4.3).
func (c *clientSession) protocol(utf8 bool) string {
	name := "SMTP"
	switch {
	case utf8:
		name = "UTF8SMTP"
	case c.extended:
		name = "ESMTP"
	}
	if name == "SMTP" {
		return name
	}
	if c.secure {
		name += "S"
	}
	if c.login {
		name += "A"
	}
	return name
}

// harmlessName keeps the characters of host names and address literals.
func harmlessName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:[]", r) {
			return r
		}
		return '?'
	}, s)
	return s[:min(len(s), 100)]
}
