package message

import (
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// headerGroup is a group of mailboxes in an address field (RFC 5322 section 3.4), or the
// mailboxes between groups.
type headerGroup struct {
	isGroup bool
	name    string
	boxes   []Mailbox
}

// parseHeaderList parses an address field of a whole message, unfolded. It accepts all of RFC
// 5322, the obsolete forms of section 4.4 included: comments and blanks anywhere, nested comments,
// quoted pairs, quoted local parts, routes, which are dropped, and empty members. It also accepts
// names without the quotes they need, a dot at either end of a local part, and semicolons as
// separators.
func parseHeaderList(s string) ([]headerGroup, error) {
	tokens, err := headerTokens(s)
	if err != nil {
		return nil, localerr.Errorf("%q: %w", excerpt.Runes(strings.TrimSpace(s), maxQuoted), err)
	}
	groups := []headerGroup{{}}
	for start, i, angle := 0, 0, false; i <= len(tokens); i++ {
		kind := byte(',') // the end of the list ends its last member
		if i < len(tokens) {
			kind = tokens[i].kind
		}
		if i < len(tokens) && (kind == '<' || kind == '>') {
			angle = kind == '<'
		}
		if i < len(tokens) && (angle || kind != ',' && kind != ';' && kind != ':') {
			continue
		}
		member := tokens[start:i]
		start = i + 1
		if kind == ':' {
			groups = append(groups, headerGroup{isGroup: true, name: phraseOf(s, member)})
			continue
		}
		if len(member) > 0 {
			m, err := headerMailbox(s, member)
			if err != nil {
				return nil, err
			}
			last := &groups[len(groups)-1]
			last.boxes = append(last.boxes, m)
		}
		if kind == ';' && groups[len(groups)-1].isGroup {
			groups = append(groups, headerGroup{})
		}
	}
	return groups, nil
}

// headerToken is a token of an address field. Kind is 'a' for an atom, 'q' for a quoted
// string, 'd' for a domain literal, 'c' for a character that belongs to none, or the
// character itself: < > @ , ; : and the dot.
type headerToken struct {
	kind       byte
	text       string // of 'a', 'q' and 'd': the meaning, without quotes and blanks
	start, end int    // in the field
	comment    string // the text of the last comment before the next token
}

func headerTokens(s string) ([]headerToken, error) {
	var tokens []headerToken
	for i := 0; i < len(s); {
		c := s[i]
		t := headerToken{kind: c, start: i, end: i + 1}
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
			continue
		case c == '(':
			end := commentEnd(s[i:])
			if end < 0 {
				return nil, localerr.New("a parenthesis ( is not closed")
			}
			if len(tokens) > 0 {
				tokens[len(tokens)-1].comment = s[i+1 : i+end-1]
			}
			i += end
			continue
		case c == '"':
			end := quotedEnd(s[i:])
			if end < 0 {
				return nil, localerr.New(`a quote " is not closed`)
			}
			t.kind, t.text, t.end = 'q', unquoteString(s[i:i+end]), i+end
		case c == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return nil, localerr.New("a square bracket [ is not closed")
			}
			t.kind, t.text, t.end = 'd', literalText(s[i:i+end+1]), i+end+1
		case strings.IndexByte("<>@,;:.", c) >= 0:
		case strings.IndexByte(`)]\`, c) >= 0:
			t.kind = 'c'
		default:
			n := encodedWordLen(s[i:])
			if n == 0 {
				n = strings.IndexAny(s[i:], " \t\r\n()\"[]<>@,;:.\\")
			}
			if n < 0 {
				n = len(s) - i
			}
			t.kind, t.text, t.end = 'a', s[i:i+n], i+n
		}
		tokens = append(tokens, t)
		i = t.end
	}
	return tokens, nil
}

// commentEnd returns the length of the comment at the start of s, nested ones included; -1 if it
// is not closed.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// literalText removes blanks and backslashes from a domain literal.
func literalText(s string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", `\`, "").Replace(s)
}

// phraseOf returns the name in tokens.
func phraseOf(s string, tokens []headerToken) string {
	if len(tokens) == 0 {
		return ""
	}
	return parseName(strings.ReplaceAll(s[tokens[0].start:tokens[len(tokens)-1].end], "\t", " "))
}

// headerMailbox parses one member of a list, which has at least one token.
func headerMailbox(s string, tokens []headerToken) (Mailbox, error) {
	whole := excerpt.Runes(s[tokens[0].start:tokens[len(tokens)-1].end], maxQuoted)
	bad := func(what error) (Mailbox, error) { return Mailbox{}, localerr.Errorf("%q: %w", whole, what) }
	m := Mailbox{Name: parseName(tokens[len(tokens)-1].comment)}
	open := indexToken(tokens, '<')
	if open >= 0 {
		if name := phraseOf(s, tokens[:open]); name != "" {
			m.Name = name
		}
		inside := tokens[open+1:]
		end := indexToken(inside, '>')
		if end < 0 {
			return bad(errAngle)
		}
		if end != len(inside)-1 {
			return bad(localerr.New("text after the >; is a comma missing?"))
		}
		tokens = inside[:end]
		if i := indexToken(tokens, ':'); i >= 0 && tokens[0].kind != 'a' && tokens[0].kind != 'q' {
			tokens = tokens[i+1:] // a route, ignored (RFC 5322 section 4.4)
		}
	}
	address, err := headerAddress(tokens)
	if err != nil {
		return bad(err)
	}
	m.Address = address
	return m, nil
}

func indexToken(tokens []headerToken, kind byte) int {
	for i, t := range tokens {
		if t.kind == kind {
			return i
		}
	}
	return -1
}

// headerAddress parses addr-spec. It writes the local part without unnecessary quotes.
func headerAddress(tokens []headerToken) (smtp.Address, error) {
	at := -1
	for i, t := range tokens {
		if t.kind == '@' {
			at = i
		}
	}
	if at < 0 {
		return smtp.Address{}, localerr.New("no @")
	}
	local, ok := joinDotted(tokens[:at], "aq")
	domain, fine := joinDotted(tokens[at+1:], "ad")
	if !ok || !fine {
		return smtp.Address{}, localerr.New("is not of the form name@domain")
	}
	if local != "" && !isDotAtom(local) {
		local = quotedString(local)
	}
	return smtp.ParseAddress(local + "@" + domain)
}

// joinDotted joins tokens of some kinds that have dots between them. An encoded word is a token of
// its own, but in an address it has no meaning (RFC 2047 section 5) and is part of an atom.
func joinDotted(tokens []headerToken, kinds string) (string, bool) {
	var b strings.Builder
	word := false
	for i, t := range tokens {
		switch {
		case i > 0 && t.kind == 'a' && tokens[i-1].kind == 'a' && tokens[i-1].end == t.start:
			b.WriteString(t.text)
		case t.kind == '.':
			b.WriteByte('.')
			word = false
		case strings.IndexByte(kinds, t.kind) < 0 || word:
			return "", false
		default:
			b.WriteString(t.text)
			word = true
		}
	}
	return b.String(), true
}

// isDotAtom reports whether a local part needs no quotes.
func isDotAtom(s string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || strings.ContainsAny(word, " \t()<>[]:;@\\,\"") {
			return false
		}
	}
	return true
}
