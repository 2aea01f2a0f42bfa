package smtpserver

import (
	"errors"
	"strconv"
	"strings"

	"github.com/yanmail/yan/smtp"
)

var (
	errNoPath     = errors.New("the address is missing or has no end")
	errParameters = errors.New("a parameter is malformed or given twice")
)

// splitPath reads the argument of MAIL ("FROM:") or RCPT ("TO:"), RFC 5321 section 4.1.2. Angle
// brackets may be missing, as some scanners leave them out; a source route is dropped.
func splitPath(args, keyword string) (path string, parameters map[string]string, err error) {
	if len(args) < len(keyword) || !strings.EqualFold(args[:len(keyword)], keyword) {
		return "", nil, errNoPath
	}
	rest := strings.TrimLeft(args[len(keyword):], " \t")
	if strings.HasPrefix(rest, "<") {
		end := smtp.PathEnd(rest)
		if end < 0 {
			return "", nil, errNoPath
		}
		path, rest = strings.Trim(rest[1:end], " \t"), rest[end+1:]
	} else {
		path, rest, _ = strings.Cut(rest, " ")
		if path == "" || strings.ContainsAny(path, `<>"`) {
			return "", nil, errNoPath
		}
	}
	if strings.HasPrefix(path, "@") { // @one,@two:name@domain, RFC 5321 appendix C
		_, after, ok := strings.Cut(path, ":")
		if !ok {
			return "", nil, errNoPath
		}
		path = after
	}
	parameters, err = splitParameters(rest)
	return path, parameters, err
}

func splitParameters(s string) (map[string]string, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return nil, nil
	}
	all := make(map[string]string, len(words))
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		key = strings.ToUpper(key)
		if _, twice := all[key]; twice || key == "" {
			return nil, errParameters
		}
		all[key] = value
	}
	return all, nil
}

// unquoteXText decodes a parameter value (RFC 3461 section 4).
func unquoteXText(s string) (string, bool) {
	if !strings.Contains(s, "+") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '+' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || strings.ToUpper(s[i+1:i+3]) != s[i+1:i+3] {
			return "", false
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(n))
		i += 2
	}
	return b.String(), true
}

func isPrintableASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
