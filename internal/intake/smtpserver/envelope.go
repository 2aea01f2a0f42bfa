package smtpserver

import (
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/smtp"
)

// opening is what a client says in MAIL, and who it is.
type opening struct {
	peer     admission.Peer
	from     string // as in MAIL FROM:<...>
	dsn      smtp.DSN
	utf8     bool
	size     int64  // announced; 0 if it was not
	received string // value of the Received field to add
}

// mail answers MAIL.
func (c *clientSession) mail(args string) error {
	switch {
	case c.hello == "":
		return c.misuse(503, "5.5.1", "order", "EHLO comes first", "send EHLO and the client's name")
	case c.open != nil:
		return c.misuse(503, "5.5.1", "order", "the last message is not finished", "send DATA, or RSET to give it up")
	case !c.known:
		return c.askForLogin()
	}
	from, parameters, err := splitPath(args, "FROM:")
	if err != nil {
		return c.misuse(501, "5.5.4", "syntax", "this is not MAIL FROM:<address> with parameters", "check the sender's address")
	}
	o := opening{peer: c.peer, from: from}
	for key, value := range parameters {
		if r := o.set(key, value); r.code != 0 {
			return c.misuse(r.code, r.enhanced, r.rule, r.what, r.todo)
		}
	}
	if !o.utf8 && !isASCII(from) {
		return c.misuse(553, "5.6.7", "smtputf8", "the sender's address is not ASCII", "send MAIL with SMTPUTF8, or use an ASCII address")
	}
	o.received = c.receivedField(o.utf8)
	c.size, c.max = c.allowances()
	if c.open, err = c.server.desk.Begin(o); err != nil {
		c.open = nil
		c.turnDown(err, "MAIL")
		return nil
	}
	c.reply(250, "2.1.0", "sender ok")
	return nil
}

// set takes a parameter of MAIL. The reply is zero if it is right.
func (o *opening) set(key, value string) (no refusalReply) {
	wrong := refusalReply{501, "5.5.4", "syntax", "the value of " + key + " is not valid", "correct it or leave it out"}
	switch key {
	case "SIZE":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return wrong
		}
		o.size = n
	case "BODY":
		if body := strings.ToUpper(value); body != "7BIT" && body != "8BITMIME" {
			return refusalReply{555, "5.6.1", "body", "BODY must be 7BIT or 8BITMIME here", "encode the message's binary parts"}
		}
	case "SMTPUTF8":
		if value != "" {
			return wrong
		}
		o.utf8 = true
	case "RET":
		if o.dsn.Return = strings.ToUpper(value); o.dsn.Return != "FULL" && o.dsn.Return != "HDRS" {
			return wrong
		}
	case "ENVID":
		id, ok := unquoteXText(value)
		if !ok || id == "" || len(id) > 100 || !isPrintableASCII(id) {
			return wrong
		}
		o.dsn.EnvelopeID = id
	case "AUTH": // RFC 4954 section 5: for servers that trust each other, which is not the case here
	default:
		return refusalReply{555, "5.5.4", "parameter", "a parameter of MAIL is not offered here", "leave out what EHLO does not list"}
	}
	return no
}

// askForLogin refuses MAIL from a client that has not logged in.
func (c *clientSession) askForLogin() error {
	r := refusalReply{530, "5.7.0", "login", "log in first", "the user name is a token's name, the password the token"}
	switch {
	case c.o.TLS != nil && !c.secure:
		r = refusalReply{530, "5.7.0", "tls", "this server needs STARTTLS and a login", "set the client's encryption to STARTTLS"}
	case c.o.Authenticate == nil:
		r = replyTo(c.unknown)
		if r.code == 451 {
			r = refusalReply{451, "4.7.0", "peer", "the user of this connection can't be found out", "try again; the log of yan says more"}
		}
	}
	c.log.Info("SMTP: refused a sender without a login", ruleField(r.rule))
	c.o.Count(r.rule, false)
	return c.misuse(r.code, r.enhanced, r.rule, r.what, r.todo)
}

// recipient answers RCPT.
func (c *clientSession) recipient(args string) error {
	if c.open == nil {
		return c.misuse(503, "5.5.1", "order", "MAIL comes first", "send MAIL, and see whether it is accepted")
	}
	to, parameters, err := splitPath(args, "TO:")
	if err != nil || to == "" {
		return c.misuse(501, "5.5.4", "syntax", "this is not RCPT TO:<address> with parameters", "check the recipient's address")
	}
	notify := ""
	for key, value := range parameters {
		switch {
		case key == "NOTIFY" && isNotify(strings.ToUpper(value)):
			notify = strings.ToUpper(value)
		case key == "ORCPT" && strings.Contains(value, ";"): // the provider gets the recipient as it is
		case key == "NOTIFY", key == "ORCPT":
			return c.misuse(501, "5.5.4", "syntax", "the value of "+key+" is not valid", "correct it or leave it out")
		default:
			return c.misuse(555, "5.5.4", "parameter", "a parameter of RCPT is not offered here", "leave out what EHLO does not list")
		}
	}
	if c.taken >= c.max {
		c.refuse(refusalReply{452, "4.5.3", "count", "the message has " + strconv.Itoa(c.max) + " recipients, the most that are allowed", "send it to the others in another message"})
		return nil
	}
	if err := c.open.Recipient(to, notify); err != nil {
		c.turnDown(err, "RCPT")
		return nil
	}
	c.taken++
	c.reply(250, "2.1.5", "recipient ok")
	return nil
}

// isNotify checks the value of NOTIFY (RFC 3461 section 4.1).
func isNotify(s string) bool {
	seen := map[string]bool{}
	for word := range strings.SplitSeq(s, ",") {
		if seen[word] || word != "NEVER" && word != "SUCCESS" && word != "FAILURE" && word != "DELAY" {
			return false
		}
		seen[word] = true
	}
	return !seen["NEVER"] || len(seen) == 1
}

// endTransaction forgets the envelope.
func (c *clientSession) endTransaction() { c.open, c.taken, c.size, c.max = nil, 0, 0, 0 }
