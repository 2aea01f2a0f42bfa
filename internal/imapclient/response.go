package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits on a server's responses. Real responses are far smaller.
const (
	maxLine   = 16 << 10 // octets in a line, and in a literal
	maxAnswer = 1 << 20  // octets in the whole answer to one command
)

// response is one complete response of the server.
type response struct {
	tag  string // "*", "+", or the tag of the command that it answers
	rest []byte // the arguments; a literal is rewritten as a quoted string
}

// readResponse reads one response. Its literals are rewritten as quoted strings, so
// that parsers handle one form.
func (c *imapConn) readResponse() (response, error) {
	line, err := c.readLine()
	if err != nil {
		return response{}, err
	}
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	got := response{tag: string(tag), rest: bytes.Clone(rest)}
	if got.tag != "*" || isStatus(got.rest) {
		return got, nil // ends with human-readable text, in which {5} is no literal
	}
	for {
		n, at, ok := literalAnnouncement(got.rest)
		if !ok {
			return got, nil
		}
		if n > maxLine || n > c.budget {
			return response{}, fmt.Errorf("%w: a literal of %d octets", ErrMalformed, n)
		}
		c.budget -= n
		octets := make([]byte, n)
		if _, err := io.ReadFull(c.r, octets); err != nil {
			return response{}, c.explainError(err)
		}
		got.rest = append(got.rest[:at], `"`+escapeQuoted(string(octets))+`"`...)
		if line, err = c.readLine(); err != nil {
			return response{}, err
		}
		got.rest = append(got.rest, line...)
	}
}

// readLine reads a line and removes its line end. The buffer limits its length.
func (c *imapConn) readLine() ([]byte, error) {
	b, err := c.r.ReadSlice('\n')
	c.budget -= len(b)
	switch {
	case err != nil && len(b) == maxLine:
		return nil, fmt.Errorf("%w: a line of more than %d octets", ErrMalformed, maxLine)
	case c.budget < 0:
		return nil, fmt.Errorf("%w: more than %d octets in answer to one command", ErrMalformed, maxAnswer)
	case errors.Is(err, io.EOF) && len(b) > 0:
		return nil, c.explainError(io.ErrUnexpectedEOF)
	case err != nil:
		return nil, c.explainError(err)
	}
	return bytes.TrimSuffix(b[:len(b)-1], []byte("\r")), nil
}

// literalAnnouncement finds a literal's announcement at the end of a line: its size and
// position.
func literalAnnouncement(line []byte) (size, at int, ok bool) {
	at = bytes.LastIndexByte(line, '{')
	if at < 0 || !bytes.HasSuffix(line, []byte("}")) {
		return 0, 0, false
	}
	digits := bytes.TrimSuffix(line[at+1:len(line)-1], []byte("+"))
	size, err := strconv.Atoi(string(digits))
	return size, at, err == nil && size >= 0
}

// escapeQuoted escapes a string for quotes (RFC 9051 section 4.3).
func escapeQuoted(s string) string {
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

// parseStatus parses a status response (RFC 9051 section 7.1) and stores its
// capabilities. ok is false if it is another response.
func (c *imapConn) parseStatus(rest []byte) (reply ServerReply, ok bool) {
	if !isStatus(rest) {
		return ServerReply{}, false
	}
	word, text, _ := bytes.Cut(rest, []byte(" "))
	reply.Status = strings.ToUpper(string(word))
	if inside, after, found := bytes.Cut(text, []byte("]")); found && bytes.HasPrefix(inside, []byte("[")) {
		code, arguments, _ := bytes.Cut(inside[1:], []byte(" "))
		reply.Code = c.redact.cleanText(bytes.ToUpper(code))
		text = bytes.TrimLeft(after, " ")
		switch reply.Code {
		case "CAPABILITY":
			c.caps = parseCapabilities(arguments)
			reply.Code = ""
		case "WEBALERT":
			// QUIRK: Gmail's code has a URL as its argument, which the user has
			// to open.
			text = append(append(bytes.Clone(text), ' '), arguments...)
		}
	}
	reply.Text = c.redact.cleanText(text)
	return reply, true
}

// handleUntagged handles a response without a tag, and ignores kinds that this client
// does not need.
func (c *imapConn) handleUntagged(rest []byte) {
	if reply, ok := c.parseStatus(rest); ok {
		switch {
		case reply.Status == "BYE":
			if c.bye.IsZero() { // repeated BYEs get no more time
				c.awaitLastReply() // whether or not the server closes the connection now
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
		c.seen.handleResponse(strings.ToUpper(string(word)), arguments)
	}
}

// capabilities are the server's capabilities, upper case; nil if unknown.
type capabilities map[string]bool

func parseCapabilities(list []byte) capabilities {
	caps := capabilities{}
	for _, word := range strings.Fields(string(list)) {
		caps[strings.ToUpper(word)] = true
	}
	return caps
}

func (c capabilities) has(name string) bool { return c[name] }

// mechanisms returns the SASL mechanisms that the server offers.
func (c capabilities) mechanisms() []string {
	var names []string
	for word := range c {
		if name, ok := strings.CutPrefix(word, "AUTH="); ok {
			names = append(names, name)
		}
	}
	return names
}

// appendLimit returns the maximum size of an appended message, if it is the
// same for every folder (RFC 7889).
func (c capabilities) appendLimit() (octets int64, ok bool) {
	for word := range c {
		if digits, found := strings.CutPrefix(word, "APPENDLIMIT="); found {
			octets, err := strconv.ParseInt(digits, 10, 64)
			return octets, err == nil && octets >= 0
		}
	}
	return 0, false
}

// nonSyncLimit returns the maximum size of a literal that is sent without a
// continuation request (RFC 7888). Above 64 KiB Yan waits for one even if it
// need not: then the server can refuse before the message is sent.
func (c capabilities) nonSyncLimit() int64 {
	switch {
	case c.has("LITERAL+"):
		return 64 << 10
	case c.has("LITERAL-"), c.has("IMAP4REV2"):
		return 4096
	}
	return -1
}
