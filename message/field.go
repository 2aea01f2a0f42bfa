package message

import (
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
)

// fieldKind is the syntax of a header field: an encoded word may not cover an address, an ID or a
// URI (RFC 2047 section 5).
type fieldKind int

const (
	textField fieldKind = iota // any unknown field
	addressField
	idField   // message IDs in angle brackets
	uriField  // URIs in angle brackets, separated by commas (RFC 2369)
	listField // List-ID: a phrase and an ID in angle brackets (RFC 2919)
	codeField // words, dates, signatures: ASCII, not encoded
)

// kindOfField returns the kind of the fields that people and programs commonly add.
func kindOfField(name string) fieldKind {
	lower := strings.ToLower(name)
	switch lower {
	case "disposition-notification-to", "return-receipt-to", "x-confirm-reading-to", "read-receipt-to",
		"mail-followup-to", "mail-reply-to", "errors-to", "x-errors-to", "abuse-reports-to", "x-complaints-to",
		"resent-from", "resent-sender", "resent-to", "resent-cc", "resent-reply-to",
		"author", "original-from", "x-original-from", "apparently-to",
		"delivered-to", "x-original-to", "x-forwarded-to", "x-envelope-from", "x-envelope-to", "envelope-to":
		return addressField
	case "in-reply-to", "references", "resent-message-id", "original-message-id", "supersedes", "obsoletes":
		return idField
	case "list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive", "archived-at":
		return uriField
	case "list-id":
		return listField
	case "auto-submitted", "precedence", "importance", "priority", "x-priority", "x-msmail-priority", "sensitivity",
		"content-language", "accept-language", "message-context", "newsgroups", "distribution",
		"resent-date", "expires", "expiry-date", "reply-by", "deferred-delivery", "latest-delivery-time",
		"list-unsubscribe-post", "feedback-id", "x-auto-response-suppress", "disposition-notification-options",
		"autocrypt", "dkim-signature", "domainkey-signature", "authentication-results", "received", "received-spf",
		"require-recipient-valid-since", "tls-required", "mt-priority", "face", "x-face":
		return codeField
	}
	if strings.HasPrefix(lower, "arc-") {
		return codeField
	}
	return textField
}

// parsedField is an extra field in its written form: boxes of an address field, or a value.
type parsedField struct {
	kind  fieldKind
	boxes []Mailbox
	value string
}

// parseExtra parses a field of the user by its kind.
func parseExtra(h Header) (parsedField, error) {
	p := parsedField{kind: kindOfField(h.Name), value: strings.Trim(h.Value, blanks)}
	if p.kind != textField && p.value == "" && p.kind != codeField {
		return p, localerr.New("its value is empty")
	}
	var err error
	switch p.kind {
	case addressField:
		if p.boxes, err = ParseMailboxList(p.value); err != nil {
			return p, localerr.Errorf("its value: %w", err)
		}
	case idField:
		p.value, err = idList(p.value)
	case uriField:
		p.value, err = uriList(p.value)
	case listField:
		err = checkListID(p.value)
	case codeField:
		err = checkPlain(p.value)
	}
	if err != nil {
		return p, localerr.Errorf("its value %w", err)
	}
	return p, nil
}

// checkPlain refuses text that needs encoding in fields that allow none.
func checkPlain(s string) error {
	for _, r := range s {
		if r > '~' {
			return localerr.Errorf("contains %q; this field allows ASCII only", r)
		}
	}
	return nil
}

// idList adds missing brackets around IDs. Their contents stay: programs generate IDs of all
// kinds, and an answer must repeat them.
func idList(s string) (string, error) {
	if err := checkPlain(s); err != nil {
		return "", err
	}
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	for i, word := range words {
		inner := strings.TrimSuffix(strings.TrimPrefix(word, "<"), ">")
		bare := inner == word
		switch {
		case inner == "" || strings.ContainsAny(inner, "<>") || bare && !strings.Contains(inner, "@"):
			return "", localerr.Errorf("contains %q, which is not a message ID like <1@example.com>", excerpt.Runes(word, maxQuoted))
		case bare:
			words[i] = "<" + word + ">"
		case len(inner) != len(word)-2:
			return "", localerr.Errorf("contains %q: an angle bracket is missing", excerpt.Runes(word, maxQuoted))
		}
	}
	if len(words) == 0 {
		return "", localerr.New("is empty")
	}
	return strings.Join(words, " "), nil
}

// uriList adds missing brackets around a URI; mail programs need them.
func uriList(s string) (string, error) {
	if err := checkPlain(s); err != nil {
		return "", err
	}
	if isURI(s) {
		return "<" + s + ">", nil
	}
	if s == "NO" { // RFC 2369 section 3.4: no postings
		return s, nil
	}
	found := false
	for rest := s; rest != ""; {
		switch rest[0] {
		case '<':
			end := strings.IndexByte(rest, '>')
			if end < 0 {
				return "", errAngle
			}
			if uri := rest[1:end]; !isURI(uri) {
				return "", localerr.Errorf("contains %q, which is not a URI like mailto:a@example.com or https://example.com/", excerpt.Runes(uri, maxQuoted))
			}
			found, rest = true, rest[end+1:]
		case '(':
			end := strings.IndexByte(rest, ')')
			if end < 0 {
				return "", localerr.New("a parenthesis ( is not closed")
			}
			rest = rest[end+1:]
		case ' ', '\t', ',':
			rest = rest[1:]
		default:
			if strings.HasPrefix(rest, "NO") && !found {
				found, rest = true, rest[2:]
				continue
			}
			return "", localerr.New("must be URIs in angle brackets, separated by commas: <mailto:a@example.com>, <https://example.com/>")
		}
	}
	if !found {
		return "", localerr.New("contains no URI in angle brackets")
	}
	return s, nil
}

// isURI reports whether s is a scheme, a colon and more, without blanks.
func isURI(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || scheme == "" || rest == "" || strings.ContainsAny(s, " \t<>\"") {
		return false
	}
	return !strings.ContainsFunc(scheme, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+-.", r))
	})
}

// checkListID accepts "id" or "phrase <id>".
func checkListID(s string) error {
	_, id := cutListID(s)
	if err := checkPlain(id); err != nil {
		return err
	}
	if id == "" || strings.ContainsAny(id, " \t<>()\",;:") {
		return localerr.New("must be the ID of a list, like news.example.com, or a name and an ID: News <news.example.com>")
	}
	return nil
}

func cutListID(s string) (phrase, id string) {
	open := strings.LastIndexByte(s, '<')
	if open < 0 || !strings.HasSuffix(s, ">") {
		return "", s
	}
	return parseName(s[:open]), s[open+1 : len(s)-1]
}

// extraField appends a field of the user that checkExtra accepted.
func (f *folder) extraField(h Header) {
	p, _ := parseExtra(h) // no error: it was checked
	switch p.kind {
	case addressField:
		f.mailboxField(h.Name, p.boxes)
		return
	case textField:
		long := longestWord(h.Value) > maxLine-len(h.Name)-len(":")
		f.beginField(h.Name)
		f.appendUnstructured(h.Value, func(w string) bool { return long || !isASCII(w) })
	case listField:
		f.beginField(h.Name)
		phrase, id := cutListID(p.value)
		if phrase != "" {
			f.displayName(toNFC(phrase), false)
		}
		f.appendWord(" ", "<"+id+">")
	default:
		f.beginField(h.Name)
		f.appendWords(p.value)
	}
	f.endField()
}

// hasUTF8Address reports whether an address in the extra fields keeps UTF-8 in the header.
func hasUTF8Address(headers []Header) bool {
	return slices.ContainsFunc(headers, func(h Header) bool {
		if isASCII(h.Value) || kindOfField(h.Name) != addressField {
			return false
		}
		p, _ := parseExtra(h) // it was checked
		return slices.ContainsFunc(p.boxes, func(m Mailbox) bool { return m.Address.NeedsSMTPUTF8() })
	})
}
