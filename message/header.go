package message

import (
	"iter"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// foldAt is the line length at which fields are folded if they have a blank: RFC 5322 section
// 2.1.1 recommends 78, RFC 2047 section 2 requires 76 in a line with an encoded word.
const foldAt = 76

// folder writes header fields. Each call of appendWord writes a piece that must not be broken.
type folder struct {
	buf   []byte
	col   int
	first bool // nothing follows the colon yet
}

// beginField starts a field. No line end may be pending.
func (f *folder) beginField(name string) {
	f.buf = append(append(f.buf, name...), ':')
	f.col = len(name) + 1
	f.first = true
}

func (f *folder) endField() { f.buf = append(f.buf, '\r', '\n') }

// appendWord appends a blank and s, and folds before the blank if the line would get too long. Directly
// after the colon it folds only if that helps.
func (f *folder) appendWord(blank, s string) {
	f.foldBefore(len(blank) + len(s))
	f.buf = append(append(f.buf, blank...), s...)
}

// foldBefore folds, if necessary, for a word that is n long with its blank.
func (f *folder) foldBefore(n int) {
	if f.col+n > foldAt && (!f.first || n <= foldAt) {
		f.foldLine()
	}
	f.col += n
	f.first = false
}

func (f *folder) foldLine() {
	f.buf = append(f.buf, '\r', '\n')
	f.col = 0
}

// appendEncoded appends s as encoded words, the first after blank, a single space or tab, and the
// others after a space, which mail programs drop between encoded words.
func (f *folder) appendEncoded(blank, s string, e wordEncoding) {
	const line, fair = foldAt - len(" "), 40
	whole := line
	switch room := line - f.col; {
	case f.first && room >= fair:
		// No fold directly after the colon. QUIRK: Python's email with its default policy would
		// read the subject with a leading blank.
		whole = room
	case !f.first && room < encodedFrame+e.encodedSize(s) && encodedFrame+e.encodedSize(s) <= line:
		f.foldLine() // rather than in two pieces
	}
	for s != "" {
		p, rest := e.cutWord(s, line-f.col, whole)
		whole = line
		if p.text == "" {
			f.foldLine()
			p, rest = e.cutWord(s, line, line)
		}
		f.foldBefore(len(blank) + p.size())
		f.buf = p.appendTo(append(f.buf, blank...))
		s, blank = rest, " "
	}
}

// appendUnstructured appends free text: the words that need it are encoded, with everything between the
// first and the last of them; the others stay.
func (f *folder) appendUnstructured(value string, needsEncoding func(word string) bool) {
	value = strings.Trim(value, blanks)
	from, to, at := -1, -1, 0
	for blank, word := range splitWords(value) {
		if needsEncoding(word) {
			if from < 0 {
				from = at
			}
			to = at + len(blank) + len(word)
		}
		at += len(blank) + len(word)
	}
	if from < 0 {
		f.appendWords(value)
		return
	}
	f.appendWords(value[:from])
	blank, span := " ", value[from:to]
	if from > 0 {
		blank, span = span[:1], span[1:] // its first blank stays outside
	}
	f.appendEncoded(blank, span, shorterEncoding(span))
	f.appendWords(value[to:])
}

// appendWords appends words unencoded.
func (f *folder) appendWords(s string) {
	for blank, word := range splitWords(s) {
		if blank == "" { // directly after the colon
			blank = " "
		}
		f.appendWord(blank, word)
	}
}

const blanks = " \t"

// splitWords yields the words of s, each with the blanks before it. Blanks at the end are
// omitted.
func splitWords(s string) iter.Seq2[string, string] {
	return func(yield func(blank, word string) bool) {
		for {
			word := strings.TrimLeft(s, blanks)
			blank := s[:len(s)-len(word)]
			if word == "" {
				return
			}
			if end := strings.IndexAny(word, blanks); end >= 0 {
				word = word[:end]
			}
			if !yield(blank, word) {
				return
			}
			s = s[len(blank)+len(word):]
		}
	}
}

// longestWord returns the length of the longest word with its blanks, at least one.
func longestWord(s string) int {
	longest := 0
	for blank, word := range splitWords(strings.TrimLeft(s, blanks)) {
		longest = max(longest, max(len(blank), 1)+len(word))
	}
	return longest
}

// subjectField appends the Subject field. Words that resemble encoded words are encoded, so that the
// recipient sees the typed text.
func (f *folder) subjectField(value string) {
	long := longestWord(value) > maxLine-len("Subject:")
	f.beginField("Subject")
	f.appendUnstructured(value, func(w string) bool {
		return long || !isASCII(w) || strings.Contains(w, "=?")
	})
	f.endField()
}

// mailboxField appends an address field. An empty list writes nothing.
func (f *folder) mailboxField(name string, list []Mailbox) {
	if len(list) == 0 {
		return
	}
	f.beginField(name)
	for i, m := range list {
		end := ","
		if i == len(list)-1 {
			end = ""
		}
		if m.Name != "" {
			f.displayName(toNFC(m.Name), name == "From")
		}
		// In brackets even without a name: SpamAssassin adds points for a bare address.
		f.appendWord(" ", "<"+m.Address.Wire()+">"+end)
	}
	f.endField()
}

// displayName appends the phrase of a mailbox.
//
// QUIRK: QQ Mail answers 550 to a From whose name is not in base64, or whose encoding includes the
// address.
func (f *folder) displayName(name string, isFrom bool) {
	switch {
	case !isASCII(name):
		e := shorterEncoding(name)
		if isFrom {
			e = onlyB
		}
		f.appendEncoded(" ", name, e)
	case strings.Contains(name, "=?"):
		f.appendEncoded(" ", name, shorterEncoding(name))
	case isPhrase(name) && longestWord(name) <= foldAt:
		for word := range strings.SplitSeq(name, " ") {
			f.appendWord(" ", word)
		}
	case len(quotedString(name)) < foldAt:
		f.appendWord(" ", quotedString(name))
	default:
		f.appendEncoded(" ", name, shorterEncoding(name))
	}
}

// isPhrase reports whether a name consists of atoms with single spaces between (RFC 5322 section
// 3.2.3).
func isPhrase(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if word == "" {
			return false
		}
		for i := 0; i < len(word); i++ {
			if !isTokenChar(word[i]) && !strings.ContainsRune("/=?{}", rune(word[i])) || word[i] == '.' {
				return false
			}
		}
	}
	return true
}

// Check returns the error for which Compose would refuse the field: an invalid name or value, or
// a field that the message has already.
func (h Header) Check() error { return checkExtra(h) }

// checkExtra checks one of Message.Headers.
func checkExtra(h Header) error {
	if err := checkFieldName(h.Name); err != nil {
		return err
	}
	if instead := fieldOwner(strings.ToLower(h.Name)); instead != nil {
		return localerr.Errorf("can't be set here: %w", instead)
	}
	if err := checkText(h.Value, true); err != nil {
		return localerr.Errorf("its value %w", err)
	}
	if isASCII(h.Value) && longestWord(h.Value) > maxLine-len(h.Name)-len(":") {
		return localerr.Errorf("its value contains more than %d characters without a space to fold the line at", maxLine-len(h.Name)-1)
	}
	_, err := parseExtra(h)
	return err
}

// checkFieldName accepts ftext (RFC 5322 section 3.6.8).
func checkFieldName(name string) error {
	if name == "" {
		return localerr.New("its name is empty")
	}
	if err := checkText(name, false); err != nil {
		return localerr.Errorf("its name %w", err)
	}
	for _, r := range name {
		if r <= ' ' || r > '~' || r == ':' {
			return localerr.Errorf("its name contains %q; a header name is printable ASCII without space and colon", r)
		}
	}
	if len(name) >= foldAt {
		return localerr.Errorf("its name is longer than %d characters", foldAt-1)
	}
	return nil
}

// fieldOwner returns an error if this package, or a server on the way, writes a field itself; nil
// if callers may set it.
func fieldOwner(lower string) error {
	switch lower {
	case "from", "sender", "to", "cc", "subject", "date", "reply-to", "message-id":
		return localerr.New("the message has a dedicated field for it")
	case "bcc", "resent-bcc":
		return localerr.New("it would be sent to everyone; use the message's Bcc field instead, which is not transmitted")
	case "mime-version", "content-type", "content-transfer-encoding":
		return localerr.New("it is determined by the text, the HTML and the attachments")
	case "content-disposition", "content-id":
		return localerr.New("it belongs to an attachment")
	case "return-path":
		return localerr.New("the server that delivers the message adds it, from the envelope")
	}
	return nil
}
