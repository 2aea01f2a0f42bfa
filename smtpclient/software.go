package smtpclient

import (
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// software is a kind of server with the habits that a client must know. It is recognised by its
// greeting and its reply to EHLO.
type software struct {
	name string
	// seen says which versions were examined, and how.
	seen string
	// greeting and hello are patterns of the greeting and of the first line of the reply to EHLO,
	// word by word: {host} is any name, the same in both, {name} the client's name, {word} any
	// word, and {...}, at the end, any words.
	greeting, hello string
	// keywords are the keywords that the reply to EHLO may have, in their order; "" allows all.
	// required are those that it always has.
	keywords, required string

	// readsOn: commands that came together with the dot of DATA wait until the message is
	// answered, and are then carried out.
	readsOn bool
	// readsRefusedChunk: the octets of a BDAT that is refused are read as commands.
	readsRefusedChunk bool
	// countsChunkAsLine: a chunk sent together with its BDAT must have line ends, so binary data
	// is refused.
	countsChunkAsLine bool
	// resets is the number of RSETs that end a transaction before the server hangs up; 0 means no
	// limit.
	resets int
	// refusals is the number of commands in a row that it refuses before it answers slowly; 0
	// means no limit. An accepted message ends the row.
	refusals int
}

// knownSoftware lists observed behaviour of servers. A server counts as one of these if nothing
// contradicts it; another program may be in between, so a habit that only improves speed has
// strict patterns, and a harmful one wide patterns.
func knownSoftware() []software {
	return []software{{
		name:     "Postfix",
		seen:     "3.7.11, runs of 200 messages with CHUNKING withheld, every fifth refused",
		greeting: "{host} ESMTP Postfix {...}", hello: "{host}",
		keywords: "PIPELINING SIZE VRFY ETRN STARTTLS AUTH AUTH= XVERP XCLIENT XFORWARD ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING",
		required: "PIPELINING ENHANCEDSTATUSCODES 8BITMIME",
		readsOn:  true,
		refusals: 9, // smtpd_soft_error_limit, less one
	}, {
		name:     "Exim",
		seen:     "4.96, runs of 200 messages with CHUNKING withheld, every fifth refused",
		greeting: "{host} ESMTP Exim {word} {...}", hello: "{host} Hello {...}",
		keywords: "SIZE LIMITS 8BITMIME DSN ETRN VRFY EXPN PIPELINING X_PIPE_CONNECT PIPECONNECT AUTH CHUNKING STARTTLS PRDR XCLIENT SMTPUTF8 HELP",
		required: "SIZE 8BITMIME PIPELINING HELP",
		readsOn:  true,
		resets:   10, // smtp_accept_max_nonmail
	}, {
		// Versions up to 0.25.0 read a refused chunk as commands, 0.25.1 does not; they look the
		// same. maddy and others are based on it.
		name:     "go-smtp",
		seen:     "0.21.1, 0.25.0 and 0.25.1",
		greeting: "{host} {word} Service Ready", hello: "Hello {name}",
		readsRefusedChunk: true, countsChunkAsLine: true,
	}}
}

// recogniseSoftware returns the software of a server; zero if it is unknown. name is the client's name in
// EHLO.
func recogniseSoftware(greeting, hello smtp.Reply, name string) software {
	if len(greeting.Lines) == 0 || len(hello.Lines) == 0 {
		return software{}
	}
	for _, s := range knownSoftware() {
		if s.matchesReplies(greeting, hello, name) {
			return s
		}
	}
	return software{}
}

func (s software) matchesReplies(greeting, hello smtp.Reply, name string) bool {
	host := ""
	return len(greeting.Lines) == 1 && sameWords(s.greeting, greeting.Lines[0], name, &host) &&
		sameWords(s.hello, hello.Lines[0], name, &host) && s.matchesKeywords(hello.Lines[1:])
}

// matchesKeywords reports whether the lines of the reply to EHLO are those of the software, in its order.
func (s software) matchesKeywords(lines []string) bool {
	if s.keywords == "" {
		return true
	}
	var found []string
	allowed := strings.Fields(s.keywords)
	for _, line := range lines {
		keyword, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(keyword, "AUTH=") {
			keyword = "AUTH="
		}
		at := slices.Index(allowed, keyword)
		if at < 0 {
			return false
		}
		allowed = allowed[at+1:]
		found = append(found, keyword)
	}
	for _, keyword := range strings.Fields(s.required) {
		if !slices.Contains(found, keyword) {
			return false
		}
	}
	return true
}

// sameWords compares a text with a pattern of software. host is the word for {host}, once it is
// known.
func sameWords(pattern, text, name string, host *string) bool {
	words := strings.Fields(text)
	for _, want := range strings.Fields(pattern) {
		if want == "{...}" {
			return true
		}
		if len(words) == 0 {
			return false
		}
		word := words[0]
		words = words[1:]
		switch {
		case want == "{word}":
		case want == "{name}" && strings.EqualFold(word, name):
		case want == "{host}" && (*host == "" || strings.EqualFold(*host, word)):
			*host = word
		case want == word:
		default:
			return false
		}
	}
	return len(words) == 0
}

// PipelineMessages says at which servers the commands of the next message may be sent together
// with the end of the previous one, after DATA. RFC 2920 allows it, and half of the servers that
// offer PIPELINING can't do it: they refuse those commands, lose them, or add them to the
// message.
type PipelineMessages int

const (
	// KnownServers means servers recognised as Postfix or Exim, which are known to support it.
	KnownServers PipelineMessages = iota
	// AllServers means every server that offers PIPELINING: for a server that you know to support
	// it.
	AllServers
	// NoServer waits for the reply to each message before the next command.
	NoServer
)

// readsOn reports whether commands may be sent with the dot of DATA.
func (c *Conn) readsOn() bool {
	switch c.cfg.PipelineMessages {
	case AllServers:
		return true
	case NoServer:
		return false
	}
	return c.software.readsOn
}

// PipelinesMessages reports whether in a run the commands of the next message are sent together
// with the end of the previous one.
func (c *Conn) PipelinesMessages() bool {
	return c.usesPipelining() && c.cfg.Window.Messages > 1 && (c.usesChunking() || c.readsOn())
}

// Software returns the name of the server's software if its habits are known: "Postfix", "Exim"
// or "go-smtp"; else "".
func (c *Conn) Software() string { return c.software.name }

// TakesBinary reports whether a message of binary data can be sent: BINARYMIME and CHUNKING are
// offered and enabled, and the server is not known to fail.
func (c *Conn) TakesBinary() bool {
	return c.caps.Has("BINARYMIME") && c.usesChunking() && !c.software.countsChunkAsLine
}

// usesChunking reports whether messages are sent with BDAT.
func (c *Conn) usesChunking() bool { return c.caps.Has("CHUNKING") && !c.cfg.NoChunking }

// Spent reports whether the next message should use another connection: this one has reached a
// limit of the server, or is so close that the server would soon answer slowly or hang up.
func (c *Conn) Spent() bool { return c.spent.Load() }

// errSpent settles a message that was taken before the connection was spent.
var errSpent = errors.New("the connection has come to a limit of the server's")

// countReply records the reply to a command of a transaction or to a message.
func (c *Conn) countReply(reply smtp.Reply) {
	if isNegative(reply) {
		c.refusals++
		c.accepted = 0
	}
	c.checkLimits()
}

// countAccepted records an accepted message.
func (c *Conn) countAccepted() {
	c.refusals, c.cleared = 0, false
	c.accepted++
}

// countReset records a RSET. The first after an accepted message is free.
func (c *Conn) countReset() {
	if c.cleared {
		c.resets++
	}
	c.cleared = true
	c.checkLimits()
}

// checkLimits checks whether a limit is near.
func (c *Conn) checkLimits() {
	s := c.software
	if s.resets > 0 && c.resets >= s.resets || s.refusals > 0 && c.refusals+costOfRefusal > s.refusals {
		c.spent.Store(true)
	}
}

// costOfRefusal is the number of refused commands of one message that is refused in a window: one
// for the recipients and DATA or BDAT.
const costOfRefusal = 2

// trustAfter is the number of messages in a row that a server which answers slowly after refusals
// must accept before the whole window is used.
const trustAfter = 100

// windowSize returns how many messages may be on the wire at once. At a server that answers slowly
// after refusals, it is small enough that all of them may be refused.
func (c *Conn) windowSize() int {
	most := c.cfg.Window.Messages
	if limit := c.software.refusals; limit > 0 && c.accepted < trustAfter {
		most = min(most, max(1, (limit-c.refusals)/costOfRefusal))
	}
	return most
}
