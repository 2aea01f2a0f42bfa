package smtpclient

import (
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// software is a kind of server and the habits of it that a client has to mind.
// It is recognised by its greeting and its reply to EHLO.
type software struct {
	name string
	// seen says which versions were looked at, and how.
	seen string
	// greeting and hello are the texts of the greeting and of the first line of
	// the reply to EHLO, word by word: {host} is any name, the same in both, {name}
	// the one that we gave, {word} any word, and {...}, at the end, any words.
	greeting, hello string
	// keywords are those that the reply to EHLO may have, in their order; "" lets
	// all pass. required are those of them that it has always.
	keywords, required string

	// readsOn: commands that came together with the dot of DATA wait until the
	// message is answered, and are then carried out.
	readsOn bool
	// readsRefusedChunk: the octets of a BDAT that is refused are read as commands.
	readsRefusedChunk bool
	// countsChunkAsLine: a chunk that comes together with its BDAT has to have line
	// ends, so that binary data is refused.
	countsChunkAsLine bool
	// resets is how many RSETs that end a transaction it takes before it hangs up;
	// 0 is no limit.
	resets int
	// refusals is how many commands in a row it refuses without answering slowly; 0
	// is no limit. A message that was accepted ends the row.
	refusals int
}

// knownSoftware is what servers were seen to do. A server is taken for one of
// these if nothing speaks against it; what is between us and it can still be
// another program, so that a habit that is good for speed alone has strict
// patterns, and one that is bad has wide ones.
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
		// Versions up to 0.25.0 read a refused chunk as commands, 0.25.1 does not;
		// they look the same. maddy and others are built on it.
		name:     "go-smtp",
		seen:     "0.21.1, 0.25.0 and 0.25.1",
		greeting: "{host} {word} Service Ready", hello: "Hello {name}",
		readsRefusedChunk: true, countsChunkAsLine: true,
	}}
}

// recognise finds the software of a server; the zero software when it is none
// that is known. name is what was said in EHLO.
func recognise(greeting, hello smtp.Reply, name string) software {
	if len(greeting.Lines) == 0 || len(hello.Lines) == 0 {
		return software{}
	}
	for _, s := range knownSoftware() {
		if s.fits(greeting, hello, name) {
			return s
		}
	}
	return software{}
}

func (s software) fits(greeting, hello smtp.Reply, name string) bool {
	host := ""
	return len(greeting.Lines) == 1 && sameWords(s.greeting, greeting.Lines[0], name, &host) &&
		sameWords(s.hello, hello.Lines[0], name, &host) && s.lists(hello.Lines[1:])
}

// lists reports whether the lines of the reply to EHLO are those that the
// software has, in its order.
func (s software) lists(lines []string) bool {
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

// sameWords holds a text against a pattern of software. host is the word for
// {host}, once it is known.
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

// PipelineMessages says at which servers the commands of the next message may
// leave together with the end of the one before, after DATA. RFC 2920 allows it,
// and half of the servers that offer PIPELINING can't do it: they refuse those
// commands, lose them, or add them to the message.
type PipelineMessages int

const (
	// KnownServers does so at servers that are recognised as Postfix or Exim,
	// which are known to do it right.
	KnownServers PipelineMessages = iota
	// AllServers does so wherever PIPELINING is offered: for a server that you know
	// to do it right.
	AllServers
	// NoServer waits for the reply to each message before the next command.
	NoServer
)

// readsOn reports whether commands may leave with the dot of DATA.
func (c *Conn) readsOn() bool {
	switch c.cfg.PipelineMessages {
	case AllServers:
		return true
	case NoServer:
		return false
	}
	return c.software.readsOn
}

// PipelinesMessages reports whether in a run the commands of the next message
// leave together with the end of the one before.
func (c *Conn) PipelinesMessages() bool {
	return c.pipelining() && c.cfg.Window.Messages > 1 && (c.chunks() || c.readsOn())
}

// Software is the name of the server's software, if it is one whose habits are
// known: "Postfix", "Exim" or "go-smtp"; else "".
func (c *Conn) Software() string { return c.software.name }

// TakesBinary reports whether a message of binary data can be sent: BINARYMIME
// and CHUNKING are offered and used, and the server is none that is known to fail
// at it.
func (c *Conn) TakesBinary() bool {
	return c.caps.Has("BINARYMIME") && c.chunks() && !c.software.countsChunkAsLine
}

// chunks reports whether messages go by BDAT.
func (c *Conn) chunks() bool { return c.caps.Has("CHUNKING") && !c.cfg.NoChunking }

// Spent reports whether the next message should go over another connection: this
// one has come to a limit of the server's, or so near that the server would soon
// answer slowly or hang up.
func (c *Conn) Spent() bool { return c.spent.Load() }

// errSpent settles a message that was taken before the connection was spent.
var errSpent = errors.New("the connection has come to a limit of the server's")

// count notes the reply to a command of a transaction or to a message.
func (c *Conn) count(reply smtp.Reply) {
	if negative(reply) {
		c.refusals++
		c.accepted = 0
	}
	c.mind()
}

// countAccepted notes that a message was accepted.
func (c *Conn) countAccepted() {
	c.refusals, c.cleared = 0, false
	c.accepted++
}

// countReset notes a RSET. The first since a message was accepted is free.
func (c *Conn) countReset() {
	if c.cleared {
		c.resets++
	}
	c.cleared = true
	c.mind()
}

// mind looks whether a limit is near.
func (c *Conn) mind() {
	s := c.software
	if s.resets > 0 && c.resets >= s.resets || s.refusals > 0 && c.refusals+costOfRefusal > s.refusals {
		c.spent.Store(true)
	}
}

// costOfRefusal is how many commands a server refuses for one message that is
// refused on its way with others: one of the recipients and DATA or BDAT.
const costOfRefusal = 2

// trustAfter is how many messages a server that answers slowly after refusals has
// to accept in a row before the whole window is used.
const trustAfter = 100

// window is how many messages may be on the wire at once. At a server that
// answers slowly after refusals it is so many that all of them may be refused.
func (c *Conn) window() int {
	most := c.cfg.Window.Messages
	if limit := c.software.refusals; limit > 0 && c.accepted < trustAfter {
		most = min(most, max(1, (limit-c.refusals)/costOfRefusal))
	}
	return most
}
