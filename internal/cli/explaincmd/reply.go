package explaincmd

import (
	"strings"
	"unicode"

	"github.com/yanmail/yan/smtp"
)

// candidate is a possible reply in a line; firm if the text before it, or an
// enhanced code after it, confirms it.
type candidate struct {
	pasted
	firm     bool
	from, to int // its lines
}

// replyAt parses the first reply that begins in the first of the lines; used is
// how many lines it takes, at least 1.
func replyAt(lines []string) (c candidate, used int) {
	line := lines[0]
	for _, at := range patterns().code.FindAllStringIndex(line, -1) {
		before, code, rest := line[:at[0]], line[at[0]:at[0]+3], line[at[0]+3:]
		firm, ok := standsAlone(before, rest)
		if !ok {
			continue
		}
		quote := openQuote(before)
		texts, more := splitJoined(code, cutText(quote, rest), strings.HasPrefix(rest, "-"))
		used = 1
		for more && used < len(lines) {
			next, continued := parseContinuation(lines[used], code, quote)
			if next == "" && !continued {
				break
			}
			texts, more = append(texts, next), continued
			used++
		}
		reply, ok := replyOf(code, texts)
		if !ok || isPort(code) {
			continue
		}
		if m := patterns().carried.FindStringSubmatch(line); m != nil && reply.Enhanced.IsZero() && m[1][0] == code[0] {
			reply.Enhanced, _, _ = smtp.CutEnhancedCode(m[1]) // a log that separates the two
		}
		firm = firm && code[:2] != "40" || !reply.Enhanced.IsZero() // 40x are HTTP's
		return candidate{pasted: pasted{reply: reply, quote: reply.String()}, firm: firm}, used
	}
	return candidate{}, 1
}

// isPort reports whether a number is a port of submission and not a reply code,
// as in smtp.example.com:587: no server uses these two as codes.
func isPort(code string) bool { return code == "465" || code == "587" }

// standsAlone checks the text around a number. ok is false for a part of a
// time, an address, a longer number or a word.
func standsAlone(before, rest string) (firm, ok bool) {
	if strings.HasPrefix(rest, "-") {
		next := strings.TrimLeft(rest[1:], " ")
		_, _, enhanced := smtp.CutEnhancedCode(next)
		if !enhanced && (next == "" || !unicode.IsLetter([]rune(next)[0])) {
			return false, false
		}
	}
	trimmed := strings.TrimRight(before, " \t")
	if trimmed == "" {
		return true, true
	}
	last := trimmed[len(trimmed)-1]
	apart := len(trimmed) < len(before)
	switch {
	case strings.IndexByte(`:,.-/_+`, last) >= 0 && !apart:
		// 08:00:00.535, 127.0.0.1:587, 2026-550, example.com:465 are not
		// replies; "said:550 ..." is one.
		word := strings.TrimRight(trimmed, ":")
		return true, last == ':' && word != "" && unicode.IsLetter(rune(word[len(word)-1])) && strings.TrimSpace(rest) != ""
	case strings.IndexByte(`:;=<>("'[{|#`+"`", last) >= 0:
		return true, true
	case !apart:
		return false, false
	}
	word := strings.ToLower(trimmed[strings.LastIndexAny(trimmed, " \t")+1:])
	switch word {
	case "port", "line", "after", "pid", "size", "took", "in", "of":
		return false, false
	}
	return false, true
}

// openQuote is the quote right before a reply; 0 for none.
func openQuote(before string) byte {
	if trimmed := strings.TrimRight(before, " "); trimmed != "" && strings.IndexByte("\"'`", trimmed[len(trimmed)-1]) >= 0 {
		return trimmed[len(trimmed)-1]
	}
	return 0
}

// cutText returns the reply's text: up to the closing quote, the closing
// bracket of one opened before it, or the words with which logs continue.
func cutText(quote byte, rest string) string {
	text := strings.TrimPrefix(strings.TrimPrefix(rest, "-"), " ")
	if end := closingQuote(text, quote); quote != 0 && end >= 0 {
		return text[:end]
	}
	for _, mark := range []string{" (in reply to ", " errormsg='"} {
		text, _, _ = strings.Cut(text, mark)
	}
	open := 0
	for i, r := range text {
		switch r {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			if open--; open < 0 {
				return text[:i]
			}
		}
	}
	return text
}

// closingQuote finds the quote that ends a value; an apostrophe inside a word
// does not.
func closingQuote(text string, quote byte) int {
	for i := range len(text) {
		if text[i] == quote && (i+1 == len(text) || strings.IndexByte(" ,)}];:\n", text[i+1]) >= 0) {
			return i
		}
	}
	return -1
}

// splitJoined splits the lines of a reply that a log has joined with spaces:
// "550-5.7.26 one 550-5.7.26 two 550 5.7.26 three". more reports that its last
// line is still to come.
func splitJoined(code, text string, more bool) (lines []string, open bool) {
	for more {
		cut, found := -1, ""
		for _, mark := range []string{" " + code + "-", " " + code + " "} {
			if i := strings.Index(text, mark); i >= 0 && (cut < 0 || i < cut) {
				cut, found = i, mark
			}
		}
		if cut < 0 {
			break
		}
		lines = append(lines, text[:cut])
		text, more = text[cut+len(found):], strings.HasSuffix(found, "-")
	}
	return append(lines, text), more
}

// parseContinuation returns the text of a reply's further line; more reports that
// yet another follows. It returns "" and false for any other line.
func parseContinuation(line, code string, quote byte) (text string, more bool) {
	at := strings.Index(line, code)
	if at < 0 || len(line) > at+3 && line[at+3] != ' ' && line[at+3] != '-' {
		return "", false
	}
	if _, ok := standsAlone(line[:at], " "); !ok {
		return "", false
	}
	rest := line[at+3:]
	return cutText(quote, rest), strings.HasPrefix(rest, "-")
}
