package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Mailbox is an address with a display name (RFC 5322 section 3.4); Name may be "".
type Mailbox struct {
	Name    string
	Address smtp.Address
}

// String returns the mailbox as a person would type it, in UTF-8 and with quotes if necessary.
// [ParseMailbox] can parse it.
func (m Mailbox) String() string {
	addr := m.Address.String()
	switch {
	case m.Name == "" && !strings.ContainsFunc(m.Address.Local(), isSeparator):
		return addr
	case m.Name == "":
		return "<" + addr + ">"
	case plainName(m.Name):
		return m.Name + " <" + addr + ">"
	}
	return quotedString(m.Name) + " <" + addr + ">"
}

// plainName reports whether a name can be parsed without quotes.
func plainName(s string) bool {
	if strings.Contains(s, "=?") || strings.Contains(s, "  ") || trimItem(s) != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return isSeparator(r) || strings.ContainsRune(`"\()<>[]:@.`, r) ||
			r != ' ' && unicode.IsSpace(r)
	})
}

// quotedString returns a quoted-string (RFC 5322 section 3.2.4).
func quotedString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isSeparator reports whether a character separates mailboxes: the RFC's comma, Outlook's
// semicolon, and their counterparts on a Chinese keyboard.
func isSeparator(r rune) bool {
	switch r {
	case ',', ';', '，', '；', '、':
		return true
	}
	return false
}

// ParseMailbox parses one mailbox: "a@b", "Name <a@b>", "\"Name, x\" <a@b>" or "a@b (Name)".
// Encoded words in the name are decoded. Errors quote the input.
func ParseMailbox(s string) (Mailbox, error) {
	list, err := ParseMailboxList(s)
	if err != nil {
		return Mailbox{}, err
	}
	if len(list) != 1 {
		return Mailbox{}, localerr.Errorf("%q contains %d addresses; want one", excerpt.Runes(s, maxQuoted), len(list))
	}
	return list[0], nil
}

// ParseMailboxList parses mailboxes separated by commas, semicolons or their full-width twins
// (，；、). Empty items, as after a final comma, are skipped, but a list without any mailbox is an
// error. Groups ("team: a@b, c@d;") are refused.
func ParseMailboxList(s string) ([]Mailbox, error) {
	list, err := appendMailboxes(nil, s)
	if err == nil && len(list) == 0 {
		err = errNoAddress
	}
	return list, err
}

var (
	errNoAddress = localerr.New("contains no address")
	errAngle     = localerr.New("an angle bracket < is not closed")
)

// appendMailboxes parses a list and appends its mailboxes.
func appendMailboxes(list []Mailbox, s string) ([]Mailbox, error) {
	if isBareAddress(s) {
		address, err := smtp.ParseAddress(s)
		if err != nil {
			return nil, err
		}
		return append(list, Mailbox{Address: address}), nil
	}
	if err := checkText(s, false); err != nil {
		return nil, localerr.Errorf("%q %w", excerpt.Runes(s, maxQuoted), err)
	}
	first := true
	var before rune // the separator before the item; 0 before the first
	for rest := s; rest != ""; first = false {
		item, separator, after, err := cutMailbox(rest)
		if err != nil {
			return nil, localerr.Errorf("%q: %w", excerpt.Runes(strings.TrimSpace(rest), maxQuoted), err)
		}
		rest = after
		if item = trimItem(item); item == "" {
			continue
		}
		m, err := parseItem(item)
		if err != nil && !strings.ContainsAny(item, "@<") && !(first && rest == "") {
			err = separatorError(item, before, separator)
		}
		if err != nil {
			return nil, err
		}
		// An encoded word can hide characters from the check above.
		if err := checkText(m.Name, false); err != nil {
			return nil, localerr.Errorf("%q: its name %w", excerpt.Runes(item, maxQuoted), err)
		}
		list = append(list, m)
		before = separator
	}
	return list, nil
}

// trimItem removes blanks, and invisible characters from pasted text.
func trimItem(s string) string { return strings.TrimSpace(smtp.TrimInvisible(strings.TrimSpace(s))) }

// separatorError explains an item without an @ beside a separator, which is the usual cause.
func separatorError(item string, before, after rune) error {
	if before != 0 {
		return localerr.Errorf("address %q: no @; the %c before it separates two addresses", excerpt.Runes(item, maxQuoted), before)
	}
	return localerr.Errorf("address %q: no @; if the %c is part of a name, put the name in quotes: \"A%c B\" <a@example.org>", excerpt.Runes(item, maxQuoted), after, after)
}

// isBareAddress reports whether s is the common form, letters and digits around an @, which needs
// no parser.
func isBareAddress(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '@', c == '.', c == '-', c == '_', c == '+':
		default:
			return false
		}
	}
	return s != ""
}

// cutMailbox returns the text before the first separator outside of quotes, comments and angle
// brackets. The separator is 0 at the end.
func cutMailbox(s string) (item string, separator rune, rest string, err error) {
	var comment, angle, literal bool
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case comment:
			comment = r != ')'
		case r == '"':
			end := quotedEnd(s[i:])
			if end < 0 {
				return "", 0, "", localerr.New(`a quote " is not closed`)
			}
			n = end
		case encodedWordLen(s[i:]) > 0:
			n = encodedWordLen(s[i:])
		case r == '(' && !angle:
			comment = true
		case r == '<':
			angle = true
		case r == '>':
			angle = false
		case r == '[':
			literal = true
		case r == ']':
			literal = false
		case angle || literal:
		case r == ':':
			return "", 0, "", localerr.New("address groups (name: address, address;) are not supported; list the addresses, or put the name in quotes")
		case isSeparator(r):
			return s[:i], r, s[i+n:], nil
		}
		i += n
	}
	switch {
	case comment:
		return "", 0, "", localerr.New("a parenthesis ( is not closed")
	case angle:
		return "", 0, "", errAngle
	}
	return s, 0, "", nil
}

// encodedWordLen returns the length of the encoded word at the start of s, 0 if there is none.
// Separators belong to it: RFC 2047 section 5 requires them to be encoded in a name, and many
// senders don't.
func encodedWordLen(s string) int {
	if !strings.HasPrefix(s, "=?") {
		return 0
	}
	parts := strings.SplitN(s, "?", 5) // = charset encoding text =…
	if len(parts) < 5 || len(parts[2]) != 1 || !strings.HasPrefix(parts[4], "=") {
		return 0
	}
	n := len(s) - len(parts[4]) + len("=")
	if strings.ContainsAny(s[:n], ` @<>"()`) {
		return 0
	}
	return n
}

// quotedEnd returns the length of the quoted-string at the start of s, -1 if it is not closed.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// parseItem parses one mailbox, trimmed and not empty.
func parseItem(item string) (Mailbox, error) {
	m, err := readItem(halfWidthBrackets(item))
	if err == nil && strings.Contains(m.Address.Local(), " ") {
		return Mailbox{}, localerr.Errorf("%q: has a space before the @, which no mailbox has", excerpt.Runes(item, maxQuoted))
	}
	return m, err
}

func readItem(item string) (Mailbox, error) {
	open := indexUnquoted(item, '<')
	if open < 0 {
		return parseBare(item)
	}
	bad := func(what error) (Mailbox, error) {
		return Mailbox{}, localerr.Errorf("%q: %v", excerpt.Runes(item, maxQuoted), what)
	}
	addr, after, closed := cutUnquoted(item[open+1:], '>')
	if !closed {
		return bad(errAngle)
	}
	after = strings.TrimSpace(after)
	comment, isComment := commentText(after)
	if after != "" && !isComment {
		return bad(localerr.New("text after the >; is a comma missing?"))
	}
	address, err := smtp.ParseAddress(trimItem(addr))
	if err != nil {
		return bad(err)
	}
	name := parseName(item[:open])
	if name == "" {
		name = comment
	}
	return Mailbox{Name: name, Address: address}, nil
}

// halfWidthBrackets reads 张三《a@b》 as a Chinese or Japanese keyboard writes it: the brackets at
// the end contain the address or the name.
func halfWidthBrackets(item string) string {
	if isASCII(item) || strings.ContainsAny(item, `<>"`) {
		return item
	}
	last, n := utf8.DecodeLastRuneInString(item)
	closes := strings.IndexRune(closingBrackets, last)
	if closes < 0 {
		return item
	}
	opening := []rune(openingBrackets)[utf8.RuneCountInString(closingBrackets[:closes])]
	open := strings.IndexRune(item, opening)
	if open < 0 {
		return item
	}
	outside, inside := item[:open], strings.TrimSpace(item[open+utf8.RuneLen(opening):len(item)-n])
	switch strings.Contains(outside, "@") {
	case false:
		if !strings.Contains(inside, "@") {
			return item
		}
		return outside + "<" + inside + ">"
	default:
		if strings.Contains(inside, "@") {
			return item
		}
		return strings.TrimSpace(outside) + " (" + inside + ")"
	}
}

const (
	openingBrackets = "＜〈《⟨≪（【「『［〔〖"
	closingBrackets = "＞〉》⟩≫）】」』］〕〗"
)

// parseBare parses an address without angle brackets, perhaps followed by its name as a comment,
// as before RFC 822.
func parseBare(item string) (Mailbox, error) {
	name := ""
	if open := indexUnquoted(item, '('); open >= 0 {
		if text, ok := commentText(item[open:]); ok {
			name, item = text, strings.TrimSpace(item[:open])
		}
	}
	address, err := smtp.ParseAddress(item)
	if err != nil {
		return Mailbox{}, err
	}
	return Mailbox{Name: name, Address: address}, nil
}

// commentText returns the text of s if s is one comment.
func commentText(s string) (string, bool) {
	inner, open := strings.CutPrefix(s, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !open || !closed || strings.ContainsAny(inner, "()") {
		return "", false
	}
	return parseName(inner), true
}

// parseName parses a display name: quoted strings lose their quotes, encoded words are decoded,
// runs of blanks become one. Other characters are literal, more than the RFC's phrase allows.
func parseName(s string) string {
	var name strings.Builder
	afterEncoded := false // RFC 2047 section 6.2: the blank between two encoded words is not shown
	for s = strings.TrimSpace(s); s != ""; {
		var word string
		encoded := false
		blank := len(s) - len(strings.TrimLeft(s, " "))
		s = s[blank:]
		if end := -1; s[0] == '"' {
			if end = quotedEnd(s); end < 0 {
				end = len(s)
			}
			word, s = unquoteString(s[:end]), s[end:]
		} else {
			end := strings.IndexAny(s, ` "`)
			if end < 0 {
				end = len(s)
			}
			word, s = s[:end], s[end:]
			word, encoded = decodeWord(word)
		}
		if blank > 0 && !(encoded && afterEncoded) {
			name.WriteByte(' ')
		}
		name.WriteString(word)
		afterEncoded = encoded
	}
	return name.String()
}

func unquoteString(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func indexUnquoted(s string, c byte) int {
	before, _, found := cutUnquoted(s, c)
	if !found {
		return -1
	}
	return len(before)
}

// cutUnquoted is strings.Cut at a c outside of quoted strings.
func cutUnquoted(s string, c byte) (before, after string, found bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case c:
			return s[:i], s[i+1:], true
		case '"':
			end := quotedEnd(s[i:])
			if end < 0 {
				return s, "", false
			}
			i += end - 1
		}
	}
	return s, "", false
}
