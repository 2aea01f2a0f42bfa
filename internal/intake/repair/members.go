package repair

import (
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// member is a mailbox of an address field.
type member struct {
	start, end int // in the field, without the blanks around it
	inGroup    bool
	name       string       // the display name, decoded
	address    smtp.Address // zero if it has no domain or is no address
	local      string       // the name without a domain
	text       string       // the whole of it, if it is neither
}

// String returns the address, the local name, or the text.
func (m member) String() string {
	switch {
	case !m.address.IsZero():
		return m.address.String()
	case m.local != "":
		return m.local
	}
	return m.text
}

// members splits the value of an address field, with the obsolete forms of RFC 5322 section 4.4. What
// can't be read is a member with text.
func members(value string) []member {
	var list []member
	group := false
	for at := 0; at < len(value); {
		end, mark := memberEnd(value, at)
		if mark == ':' && !group {
			group = true
			at = end + 1
			continue
		}
		if m, ok := parseMember(value, at, end); ok {
			m.inGroup = group
			list = append(list, m)
		}
		if mark == ';' {
			group = false
		}
		at = end + 1
	}
	return list
}

// memberEnd returns the end of the member that begins at a place, and the mark there: a comma, a
// semicolon, the colon after the name of a group, or 0 at the end.
func memberEnd(s string, at int) (end int, mark byte) {
	for i := at; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '(':
			n := closing(s[i:])
			if n == 0 {
				return len(s), 0 // the rest can't be divided
			}
			i += n
		case c == '<' || c == '[':
			n := strings.IndexByte(s[i:], map[byte]byte{'<': '>', '[': ']'}[c])
			if n < 0 {
				return len(s), 0
			}
			i += n
		case c == '\\':
			i++
		case strings.HasPrefix(s[i:], "=?"):
			i += wordLen(s[i:])
		case c == ',' || c == ';' || c == ':':
			return i, c
		}
	}
	return len(s), 0
}

// closing returns the place of the quote or parenthesis that closes the one at the start of s, nested
// ones included; 0 if there is none.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case s[0] == '"':
			if c == '"' && i > 0 {
				return i
			}
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return 0
}

// wordLen returns the length of the encoded word at the start of s without its last character, 1 if
// there is none. Separators inside belong to it.
func wordLen(s string) int {
	parts := strings.SplitN(s, "?", 5)
	if len(parts) < 5 || !strings.HasPrefix(parts[4], "=") || len(parts[2]) != 1 {
		return 1
	}
	n := len(s) - len(parts[4])
	if strings.ContainsAny(s[:n], ` @<>"()`) {
		return 1
	}
	return n
}

// maxMember is the longest mailbox that is parsed, in octets, as the time may grow with its square.
const maxMember = 4 << 10

// parseMember parses s[at:end]; ok is false if it is empty.
func parseMember(s string, at, end int) (m member, ok bool) {
	raw := s[at:end]
	text := strings.Trim(raw, blanks)
	if text == "" {
		return member{}, false
	}
	at += strings.Index(raw, text)
	m = member{start: at, end: at + len(text)}
	if len(text) > maxMember {
		m.text = excerpt.Runes(text, 100)
		return m, true
	}
	plain, comment := withoutComments(text)
	plain = strings.Trim(plain, blanks)
	name, inside := comment, plain
	if open := lastOutside(plain, '<'); open >= 0 {
		rest := plain[open+1:]
		stop := strings.IndexByte(rest, '>')
		if stop < 0 || strings.Trim(rest[stop+1:], blanks) != "" {
			m.text = text
			return m, true
		}
		inside = rest[:stop]
		if before := strings.Trim(plain[:open], blanks); before != "" {
			name = before
		}
		if colon := strings.IndexByte(inside, ':'); strings.HasPrefix(inside, "@") && colon > 0 {
			inside = inside[colon+1:] // a route
		}
	}
	m.name = decodeName(name)
	m.readAddress(inside, text)
	return m, true
}

// readAddress parses what is between the angle brackets, or all of the text without them.
func (m *member) readAddress(inside, text string) {
	inside = strings.Trim(inside, blanks)
	bare := strings.Trim(inside, `"`)
	if isLocalName(bare) {
		m.local = bare
		return
	}
	if !strings.HasPrefix(inside, `"`) && strings.ContainsAny(inside, blanks) && strings.Contains(inside, "@") {
		inside = strings.NewReplacer(" ", "", "\t", "").Replace(inside) // blanks around the @ or a dot are obsolete
	}
	if address, err := smtp.ParseAddress(inside); err == nil {
		m.address = address
	} else {
		m.text = text
	}
}

// lastOutside returns the last place of c outside of quotes, -1 if there is none.
func lastOutside(s string, c byte) int {
	last := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i += closing(s[i:])
		case '\\':
			i++
		case c:
			last = i
		}
	}
	return last
}

// withoutComments removes the comments, and returns the text of the last one.
func withoutComments(s string) (plain, comment string) {
	if strings.IndexByte(s, '(') < 0 {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		n := 0
		if s[i] == '"' || s[i] == '(' {
			if n = closing(s[i:]); n == 0 { // the rest can't be divided; looking on would take the square of the time
				b.WriteString(s[i:])
				break
			}
		}
		if s[i] == '(' {
			comment = s[i+1 : i+n]
		} else {
			b.WriteString(s[i : i+n+1])
		}
		i += n
	}
	return b.String(), comment
}

// isLocalName reports whether a text can be the name of a user of this machine.
func isLocalName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-+$=~", c) >= 0) {
			return false
		}
	}
	return true
}

// decodeName returns a display name without quotes and encoded words, in one line.
func decodeName(s string) string {
	if s == "" {
		return ""
	}
	name := s
	if m, err := message.ParseMailbox(s + " <x@example.com>"); err == nil {
		name = m.Name
	} else {
		name = strings.Trim(strings.NewReplacer(`"`, "", `\`, "").Replace(s), blanks)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, name)
}

// written returns a mailbox for a field, in UTF-8.
func written(name string, address smtp.Address) string {
	if name == "" {
		return "<" + address.String() + ">"
	}
	return message.Mailbox{Name: name, Address: address}.String()
}
