package sendmailcmd

import (
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/smtp"
)

// localDomain is the domain that a local name gets in SMTP, which has no addresses without one.
const localDomain = "localhost"

// recipient is an address, or a name of this machine.
type recipient struct {
	address smtp.Address // of a name: with localDomain
	name    string       // as given; "" if address was given
}

// String returns what was given.
func (r recipient) String() string {
	if r.name != "" {
		return r.name
	}
	return r.address.String()
}

// newRecipient parses an address or the name of a user.
func newRecipient(s string) (recipient, error) {
	if strings.Contains(s, "@") {
		address, err := smtp.ParseAddress(s)
		return recipient{address: address}, err
	}
	address, err := smtp.ParseAddress(s + "@" + localDomain)
	if err != nil {
		return recipient{}, localerr.Errorf("%q is neither an address nor the name of a user", excerpt.Runes(s, 80))
	}
	return recipient{address: address, name: s}, nil
}

// parseOperand parses an operand: one recipient or several with commas, and with display names,
// comments and groups as in a header field (RFC 5322 section 3.4).
func parseOperand(s string) ([]recipient, error) {
	if !utf8.ValidString(s) {
		return nil, localerr.Errorf("the recipient %q is not UTF-8", excerpt.Octets(s, 80))
	}
	items, err := splitList(s)
	if err != nil {
		return nil, err
	}
	list := make([]recipient, 0, len(items))
	for _, item := range items {
		r, err := newRecipient(item)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// splitList returns the addresses and names in a list, without display names and comments.
func splitList(s string) ([]string, error) {
	if !strings.ContainsAny(s, "\",;:<>() \t\r\n") {
		if s == "" {
			return nil, nil
		}
		return []string{s}, nil
	}
	var items []string
	var bare, angle strings.Builder
	inAngle, hasAngle := false, false
	flush := func() {
		item := strings.TrimSpace(bare.String())
		if hasAngle {
			item = withoutRoute(strings.TrimSpace(angle.String()))
		}
		if item != "" {
			items = append(items, item)
		}
		bare.Reset()
		angle.Reset()
		hasAngle = false
	}
	for i := 0; i < len(s); i++ {
		into := &bare
		if inAngle {
			into = &angle
		}
		switch c := s[i]; {
		case c == '"':
			end := endOfQuoted(s, i)
			if end < 0 {
				return nil, notClosed(s, '"')
			}
			into.WriteString(s[i : end+1])
			i = end
		case c == '(':
			end := endOfComment(s, i)
			if end < 0 {
				return nil, notClosed(s, '(')
			}
			i = end
		case c == '<' && !inAngle:
			inAngle, hasAngle = true, true
			angle.Reset()
		case c == '>' && inAngle:
			inAngle = false
		case (c == ',' || c == ';') && !inAngle:
			flush()
		case c == ':' && !inAngle && !strings.Contains(bare.String(), "["): // the name of a group; an address literal may have one
			bare.Reset()
		default:
			into.WriteByte(c)
		}
	}
	if inAngle {
		return nil, notClosed(s, '<')
	}
	flush()
	return items, nil
}

func notClosed(s string, c rune) error {
	return localerr.Errorf("the recipient %q has a %q that is not closed", excerpt.Runes(s, 80), c)
}

// withoutRoute drops the source route of RFC 5321 section 4.1.2, which servers ignore.
func withoutRoute(s string) string {
	if strings.HasPrefix(s, "@") {
		if colon := strings.IndexByte(s, ':'); colon >= 0 {
			return s[colon+1:]
		}
	}
	return s
}

// endOfQuoted returns the place of the quote that ends the quoted string at i, or -1.
func endOfQuoted(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// endOfComment returns the place of the parenthesis that ends the comment at i, or -1.
func endOfComment(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// recipientList is a list of recipients, each once, in the order in which they were added.
type recipientList struct {
	all  []recipient
	seen map[string]bool
}

func (l *recipientList) add(list ...recipient) {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	for _, r := range list {
		if key := r.address.Wire(); !l.seen[key] {
			l.seen[key] = true
			l.all = append(l.all, r)
		}
	}
}
