// Package redact removes private text from logs and traces: the local parts of addresses, and the
// users and passwords of URLs.
package redact

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// unseen replaces removed text.
const unseen = "…"

// ends are characters that a local part does not contain unless it is quoted (RFC 5321 section
// 4.1.2) and that surround addresses in errors.
const ends = " \t\r\n<>()[],;:\"\\“”«»，；："

// signs are the forms of an address's @ in an error, in a URL, and by mistake.
var signs = regexp.MustCompile(`@|%40|＠`)

// userInfo matches the user and password of a URL, which may contain any of these signs.
var userInfo = regexp.MustCompile(`://[^\s"<>]*@`)

// Text removes the local part of every address and the user and password of every URL from a text:
// everything before an @, up to a space or a bracket. It removes too much rather than too little.
func Text(text string) string {
	var b strings.Builder
	text = userInfo.ReplaceAllString(text, "://"+unseen+"@")
	for {
		sign := signs.FindStringIndex(text)
		if sign == nil {
			b.WriteString(text)
			return b.String()
		}
		before := text[:sign[0]]
		b.WriteString(before[:localPart(before)])
		b.WriteString(unseen + text[sign[0]:sign[1]])
		text = text[sign[1]:]
	}
}

// localPart returns the start of the local part before an @.
func localPart(before string) int {
	if strings.HasSuffix(before, `"`) {
		if open := strings.LastIndex(before[:len(before)-1], `"`); open >= 0 {
			return open
		}
	}
	if strings.HasSuffix(before, "://"+unseen) {
		return len(before) - len(unseen)
	}
	at := strings.LastIndexAny(before, ends)
	if at < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(before[at:])
	return at + size
}

// Domain returns the part after the last @, or s itself: a domain may have been given as an
// address.
func Domain(s string) string {
	if at := signs.FindAllStringIndex(s, -1); at != nil {
		return s[at[len(at)-1][1]:]
	}
	return s
}
