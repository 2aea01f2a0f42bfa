package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// commandLine is one line of the client, split at its first space.
type commandLine struct {
	verb string // upper case
	args string // as sent
}

// parseCommand reads a line without its line end.
func parseCommand(line []byte) (commandLine, error) {
	for _, c := range line {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return commandLine{}, fmt.Errorf("control character 0x%02x in a command", c)
		}
	}
	verb, args, _ := strings.Cut(string(line), " ")
	if verb == "" {
		return commandLine{}, errors.New("empty command")
	}
	for _, c := range []byte(verb) {
		if c < '!' || c > '~' {
			return commandLine{}, fmt.Errorf("byte 0x%02x in a command verb", c)
		}
	}
	return commandLine{verb: strings.ToUpper(verb), args: args}, nil
}

// params are the parameters of MAIL or RCPT; a parameter without a value has
// the value "".
type params map[string]string

// path is the parsed argument of MAIL or RCPT.
type path struct {
	address string // between the angle brackets; "" is the null reverse-path
	local   string // the part before the last @
	params  params
	// slips are departures from the grammar that most servers accept.
	slips []string
}

var (
	errNoBrackets = errors.New("the address is not in angle brackets")
	errNonASCII   = errors.New("non-ASCII address without SMTPUTF8")
)

// parsePath reads the arguments of MAIL ("FROM") or RCPT ("TO"), RFC 5321
// section 4.1.2.
func parsePath(args, keyword string) (path, error) {
	var p path
	if len(args) <= len(keyword) || !strings.EqualFold(args[:len(keyword)], keyword) || args[len(keyword)] != ':' {
		return p, fmt.Errorf("%s: is missing", keyword)
	}
	rest := args[len(keyword)+1:]
	if trimmed := strings.TrimLeft(rest, " "); trimmed != rest {
		p.slips = append(p.slips, "space after "+keyword+":")
		rest = trimmed
	}
	if !strings.HasPrefix(rest, "<") {
		return p, errNoBrackets
	}
	end := smtp.PathEnd(rest)
	if end < 0 {
		return p, errNoBrackets
	}
	p.address = rest[1:end]
	if at := strings.LastIndexByte(p.address, '@'); at >= 0 {
		p.local = p.address[:at]
	} else {
		p.local = p.address
	}
	var err error
	p.params, err = parseParams(rest[end+1:], &p.slips)
	return p, err
}

func parseParams(s string, slips *[]string) (params, error) {
	found := params{}
	if s == "" {
		return found, nil
	}
	if s[0] != ' ' {
		return nil, fmt.Errorf("%q follows the address without a space", s[:1])
	}
	for word := range strings.SplitSeq(s[1:], " ") {
		if word == "" {
			*slips = append(*slips, "a space too many between or after parameters")
			continue
		}
		key, value, hasValue := strings.Cut(word, "=")
		key = strings.ToUpper(key)
		if !isKeyword(key) || hasValue && value == "" || strings.Contains(value, "=") {
			return nil, fmt.Errorf("parameter %q is malformed", word)
		}
		if _, twice := found[key]; twice {
			return nil, fmt.Errorf("parameter %s stands twice", key)
		}
		found[key] = value
	}
	return found, nil
}

// isKeyword implements esmtp-keyword of RFC 5321 section 4.1.2, in upper case.
func isKeyword(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return s != ""
}

// checkAddress checks the address against the grammar. utf8 is true if MAIL had
// SMTPUTF8.
func checkAddress(address string, utf8 bool) error {
	if !utf8 {
		for i := 0; i < len(address); i++ {
			if address[i] >= 0x80 {
				return errNonASCII
			}
		}
	}
	_, err := smtp.ParseAddress(address)
	return err
}

// checkMailParams checks the parameters of MAIL against the offered extensions
// and returns the declared size, 0 if there is none.
func checkMailParams(p params, offered smtp.Capabilities) (size int64, err error) {
	needs := map[string]string{"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8",
		"RET": "DSN", "ENVID": "DSN", "AUTH": "AUTH"}
	if strings.EqualFold(p["BODY"], "BINARYMIME") {
		needs["BODY"] = "BINARYMIME" // RFC 3030 section 3
	}
	if err := checkOffered(p, needs, offered); err != nil {
		return 0, err
	}
	for key, value := range p {
		ok := true
		switch key {
		case "SIZE":
			size, err = strconv.ParseInt(value, 10, 64)
			ok = err == nil && size >= 0
		case "BODY":
			switch strings.ToUpper(value) {
			case "7BIT", "8BITMIME", "BINARYMIME":
			default:
				ok = false
			}
		case "SMTPUTF8":
			ok = value == ""
		case "RET":
			ok = strings.EqualFold(value, "FULL") || strings.EqualFold(value, "HDRS")
		case "ENVID", "AUTH":
			ok = isXText(value)
		}
		if !ok {
			return 0, fmt.Errorf("%s=%s is malformed", key, value)
		}
	}
	return size, nil
}

// checkRcptParams checks the parameters of RCPT against the offered extensions.
func checkRcptParams(p params, offered smtp.Capabilities) error {
	if err := checkOffered(p, map[string]string{"NOTIFY": "DSN", "ORCPT": "DSN"}, offered); err != nil {
		return err
	}
	if notify, ok := p["NOTIFY"]; ok {
		words := strings.Split(strings.ToUpper(notify), ",")
		for _, word := range words {
			known := word == "SUCCESS" || word == "FAILURE" || word == "DELAY" || word == "NEVER" && len(words) == 1
			if !known {
				return fmt.Errorf("NOTIFY=%s is malformed", notify)
			}
		}
	}
	if orcpt, ok := p["ORCPT"]; ok {
		if kind, value, cut := strings.Cut(orcpt, ";"); !cut || kind == "" || !isXText(value) {
			return fmt.Errorf("ORCPT=%s is malformed", orcpt)
		}
	}
	return nil
}

// checkOffered reports a parameter whose extension was not offered. needs maps
// parameters to extensions.
func checkOffered(p params, needs map[string]string, offered smtp.Capabilities) error {
	for key := range p {
		extension, known := needs[key]
		if !known {
			return fmt.Errorf("parameter %s is not known", key)
		}
		if !offered.Has(extension) {
			return fmt.Errorf("parameter %s needs %s, which was not offered", key, extension)
		}
	}
	return nil
}

// isXText implements xtext of RFC 3461 section 4.
func isXText(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < '!' || c > '~' || c == '=':
			return false
		case c == '+':
			if len(s) < i+3 || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		}
	}
	return s != ""
}

// isHex: RFC 3461 writes its digits in upper case only.
func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

// parseChunk reads the arguments of BDAT, RFC 3030 section 2.
func parseChunk(args string) (size int64, last bool, err error) {
	words := strings.Split(args, " ")
	if len(words) == 2 && strings.EqualFold(words[1], "LAST") {
		last = true
	} else if len(words) != 1 {
		return 0, false, errors.New("want BDAT size [LAST]")
	}
	size, err = strconv.ParseInt(words[0], 10, 64)
	if err != nil || size < 0 || words[0][0] == '+' {
		return 0, false, fmt.Errorf("chunk size %q is no number", words[0])
	}
	return size, last, nil
}
