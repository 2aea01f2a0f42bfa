// Package scrub takes out of texts what a log or a trace must not hold: the local
// parts of addresses, and the users and passwords of URLs.
package scrub

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// unseen stands for what is not shown.
const unseen = "…"

// ends are characters that a local part does not have unless it is quoted (RFC 5321
// section 4.1.2); addresses in errors have them around.
const ends = " \t\r\n<>()[],;:\"\\“”«»，；："

// signs are how the @ of an address is written in an error, in a URL, and by mistake.
var signs = regexp.MustCompile(`@|%40|＠`)

// userInfo is the user and password of a URL, which may hold any of these again.
var userInfo = regexp.MustCompile(`://[^\s"<>]*@`)

// Text takes the local part of every address, and the user and password of every
// URL, out of an error's text: what stands before an @, up to a blank or a bracket.
// It rather takes too much.
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

// localPart is where what stands before an @ begins.
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

// Domain is for who hands over an address as a domain.
func Domain(s string) string {
	if at := signs.FindAllStringIndex(s, -1); at != nil {
		return s[at[len(at)-1][1]:]
	}
	return s
}
