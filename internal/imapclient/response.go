package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds on what a server says. Real responses come nowhere near them.
const (
	maxLine   = 16 << 10 // octets in a line, and in a literal
	maxAnswer = 1 << 20  // octets in all that answers one command
)

// response is one response of the server, whole.
type response struct {
	tag  string // "*", "+", or the tag of the command that it answers
	rest []byte // what follows; a literal is spelt as a quoted string
}

// read reads one response. Its literals are put back as quoted strings, so that
// whoever reads it has one form to know.
func (c *conn) read() (response, error) {
	line, err := c.line()
	if err != nil {
		return response{}, err
	}
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	got := response{tag: string(tag), rest: bytes.Clone(rest)}
	if got.tag != "*" || isStatus(got.rest) {
		return got, nil // ends with text for people, in which {5} is no literal
	}
	for {
		n, at, ok := announced(got.rest)
		if !ok {
			return got, nil
		}
		if n > maxLine || n > c.budget {
			return response{}, fmt.Errorf("%w: a literal of %d octets", ErrMalformed, n)
		}
		c.budget -= n
		octets := make([]byte, n)
		if _, err := io.ReadFull(c.r, octets); err != nil {
			return response{}, c.explain(err)
		}
		got.rest = append(got.rest[:at], `"`+escape(string(octets))+`"`...)
		if line, err = c.line(); err != nil {
			return response{}, err
		}
		got.rest = append(got.rest, line...)
	}
}

// line reads to the next LF and takes the line end off. The buffer bounds it.
func (c *conn) line() ([]byte, error) {
	b, err := c.r.ReadSlice('\n')
	c.budget -= len(b)
	switch {
	case err != nil && len(b) == maxLine:
		return nil, fmt.Errorf("%w: a line of more than %d octets", ErrMalformed, maxLine)
	case c.budget < 0:
		return nil, fmt.Errorf("%w: more than %d octets in answer to one command", ErrMalformed, maxAnswer)
	case errors.Is(err, io.EOF) && len(b) > 0:
		return nil, c.explain(io.ErrUnexpectedEOF)
	case err != nil:
		return nil, c.explain(err)
	}
	return bytes.TrimSuffix(b[:len(b)-1], []byte("\r")), nil
}

// announced finds the announcement of a literal at the end of a line: its size
// and where it stands.
func announced(line []byte) (size, at int, ok bool) {
	at = bytes.LastIndexByte(line, '{')
	if at < 0 || !bytes.HasSuffix(line, []byte("}")) {
		return 0, 0, false
	}
	digits := bytes.TrimSuffix(line[at+1:len(line)-1], []byte("+"))
	size, err := strconv.Atoi(string(digits))
	return size, at, err == nil && size >= 0
}

// escape is a string as it stands between quotes (RFC 9051 section 4.3).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}

// isStatus reports whether a response is one of OK, NO, BAD, PREAUTH and BYE.
func isStatus(rest []byte) bool {
	word, _, _ := bytes.Cut(rest, []byte(" "))
	switch strings.ToUpper(string(word)) {
	case "OK", "NO", "BAD", "PREAUTH", "BYE":
		return true
	}
	return false
}

// status reads a status response (RFC 9051 section 7.1) and takes its
// capabilities. ok is false when it is none.
func (c *conn) status(rest []byte) (reply Reply, ok bool) {
	if !isStatus(rest) {
		return Reply{}, false
	}
	word, text, _ := bytes.Cut(rest, []byte(" "))
	reply.Status = strings.ToUpper(string(word))
	if inside, after, found := bytes.Cut(text, []byte("]")); found && bytes.HasPrefix(inside, []byte("[")) {
		code, arguments, _ := bytes.Cut(inside[1:], []byte(" "))
		reply.Code = c.redact.text(bytes.ToUpper(code))
		text = bytes.TrimLeft(after, " ")
		switch reply.Code {
		case "CAPABILITY":
			c.caps = parseCapabilities(arguments)
			reply.Code = ""
		case "WEBALERT":
			// QUIRK: Gmail's has a page as its argument, where the user has to go.
			text = append(append(bytes.Clone(text), ' '), arguments...)
		}
	}
	reply.Text = c.redact.text(text)
	return reply, true
}

// untagged takes what concerns us of a response that answers no command.
// Whatever else servers tell is theirs to tell.
func (c *conn) untagged(rest []byte) {
	if reply, ok := c.status(rest); ok {
		switch {
		case reply.Status == "BYE":
			if c.bye.IsZero() { // who says it again and again gets no more time
				c.hearOut() // whether or not it hangs up now
			}
			c.bye = reply
		case reply.Text != "" && (reply.Status != "OK" || reply.Code == "ALERT"):
			c.alert = reply.Text
		}
		return
	}
	word, arguments, _ := bytes.Cut(rest, []byte(" "))
	switch strings.ToUpper(string(word)) {
	case "CAPABILITY":
		c.caps = parseCapabilities(arguments)
	case "LIST", "XLIST":
		if f, ok := c.parseFolder(arguments); ok {
			c.folders = append(c.folders, f)
		}
	default:
		c.seen.hear(strings.ToUpper(string(word)), arguments)
	}
}

// capabilities are what the server offers, upper case; nil when it has not said.
type capabilities map[string]bool

func parseCapabilities(list []byte) capabilities {
	caps := capabilities{}
	for _, word := range strings.Fields(string(list)) {
		caps[strings.ToUpper(word)] = true
	}
	return caps
}

func (c capabilities) has(name string) bool { return c[name] }

// mechanisms are the SASL mechanisms that the server offers.
func (c capabilities) mechanisms() []string {
	var names []string
	for word := range c {
		if name, ok := strings.CutPrefix(word, "AUTH="); ok {
			names = append(names, name)
		}
	}
	return names
}

// appendLimit is the size of the largest message that may be appended, where it
// is the same for every folder (RFC 7889).
func (c capabilities) appendLimit() (octets int64, ok bool) {
	for word := range c {
		if digits, found := strings.CutPrefix(word, "APPENDLIMIT="); found {
			octets, err := strconv.ParseInt(digits, 10, 64)
			return octets, err == nil && octets >= 0
		}
	}
	return 0, false
}

// withoutAsking is how large a literal may be that is sent without the server's
// go-ahead (RFC 7888). Beyond 64 KiB it is asked for even where it need not be: a
// server that refuses then does so before the message has travelled.
func (c capabilities) withoutAsking() int64 {
	switch {
	case c.has("LITERAL+"):
		return 64 << 10
	case c.has("LITERAL-"), c.has("IMAP4REV2"):
		return 4096
	}
	return -1
}
