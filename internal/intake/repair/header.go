package repair

import (
	"cmp"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/charset"
	"github.com/yanmail/yan/message"
)

// header is the header while it is repaired.
type header struct {
	input
	o      Options
	signed bool     // it has a DKIM-Signature: what is not necessary stays
	top    []string // fields to add above the others, whole
	below  []string // fields to add below them
	key    string   // of Yan-Key

	addedDomain string // of a From that was added
}

// repair applies the rules for the header, but those for MIME.
func (h *header) repair() error {
	h.signed = h.has("dkim-signature")
	h.decode()
	h.drop()
	if !h.signed {
		h.joinDoubled()
		h.respell()
		h.completeLocal()
		h.rewriteLists()
		h.dropEmpty()
	}
	h.author()
	if h.o.Received != "" {
		// Trace fields go above all others (RFC 5321 section 4.4).
		h.top = slices.Insert(h.top, 0, folded("Received", h.o.Received))
		h.changes[Received] = true
	}
	h.date()
	h.messageID()
	return h.foldLong()
}

// find returns the first field with a name, nil if there is none.
func (h *header) find(lower string) *field {
	for i := range h.fields {
		if h.fields[i].lower == lower {
			return &h.fields[i]
		}
	}
	return nil
}

func (h *header) has(lower string) bool { return h.find(lower) != nil }

// remove removes fields, and reports whether there were any.
func (h *header) remove(which func(f *field) bool) bool {
	kept := h.fields[:0]
	for i := range h.fields {
		if !which(&h.fields[i]) {
			kept = append(kept, h.fields[i])
		}
	}
	removed := len(kept) < len(h.fields)
	clear(h.fields[len(kept):])
	h.fields = kept
	return removed
}

// set replaces the value of a field.
func (f *field) set(value string) { f.lines = strings.Split(folded(f.name, value), "\r\n") }

// decode makes each field valid UTF-8 without control characters.
func (h *header) decode() {
	for i := range h.fields {
		f := &h.fields[i]
		plain := true
		for _, line := range f.lines {
			plain = plain && isPlain(line)
		}
		if plain {
			continue
		}
		for _, decode := range []func(string) (string, bool){asUTF8, asGB18030, asWindows1252} {
			lines := make([]string, len(f.lines))
			ok := true
			for j, line := range f.lines {
				if ok {
					lines[j], ok = decode(line)
				}
			}
			if ok {
				f.lines = lines
				break
			}
		}
		for j, line := range f.lines {
			cleaned := strings.Map(cleanRune, line)
			if cleaned != line {
				h.changes[FieldOctets] = true
				f.lines[j] = cleaned
			}
			if !isASCII(cleaned) && (!h.signed || !utf8.ValidString(line)) {
				h.changes[FieldText] = true
			}
		}
	}
}

// isPlain reports whether a line is ASCII without control characters but tabs.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cleanRune makes control characters visible.
func cleanRune(r rune) rune {
	if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
		return utf8.RuneError
	}
	return r
}

func asUTF8(s string) (string, bool) { return s, utf8.ValidString(s) }

func asGB18030(s string) (string, bool) {
	decoded, err := charset.Decode(s, "gb18030")
	return decoded, err == nil
}

// asWindows1252 takes any octets: those without a meaning become U+FFFD.
func asWindows1252(s string) (string, bool) {
	from, err := charset.Find("windows-1252")
	if err != nil {
		return strings.ToValidUTF8(s, "\ufffd"), true
	}
	decoded, err := from.NewDecoder().String(s)
	return strings.ToValidUTF8(decoded, "\ufffd"), err == nil
}

// drop removes the fields that never leave this machine.
func (h *header) drop() {
	if h.o.TakeKey {
		if f := h.find("yan-key"); f != nil {
			h.key = f.value()
			h.changes[Key] = true
		}
		h.remove(func(f *field) bool { return f.lower == "yan-key" })
	}
	if h.remove(func(f *field) bool { return f.lower == "bcc" || f.lower == "resent-bcc" }) {
		h.changes[Hidden] = true
	}
	if h.remove(func(f *field) bool { return message.IsMailboxField(f.lower) }) {
		h.changes[Mailbox] = true
	}
	// Parsers disagree on whether a line of blanks ends the header.
	for i := range h.fields {
		f := &h.fields[i]
		isBlank := func(line string) bool { return strings.Trim(line, blanks) == "" }
		if slices.ContainsFunc(f.lines, isBlank) {
			f.lines = slices.DeleteFunc(slices.Clone(f.lines), isBlank)
			h.changes[Spelling] = true
		}
	}
}

// joinDoubled leaves one of each field that may occur only once (RFC 5322 section 3.6): servers refuse
// more, or readers show different ones.
func (h *header) joinDoubled() {
	first := map[string]int{}
	joined := map[string][]string{}
	kept := make([]field, 0, len(h.fields))
	for _, f := range h.fields {
		at, seen := first[f.lower]
		switch {
		case !seen || !isSingle(f.lower):
			first[f.lower] = len(kept)
			kept = append(kept, f)
			continue
		case f.lower == "to" || f.lower == "cc" || f.lower == "reply-to":
			if joined[f.lower] == nil {
				joined[f.lower] = []string{strings.Trim(kept[at].value(), " \t,")}
			}
			joined[f.lower] = append(joined[f.lower], strings.Trim(f.value(), " \t,"))
		}
		h.changes[Doubled] = true
	}
	for lower, values := range joined {
		values = slices.DeleteFunc(values, func(s string) bool { return s == "" })
		kept[first[lower]].set(strings.Join(values, ", "))
	}
	h.fields = kept
}

func isSingle(lower string) bool {
	switch lower {
	case "date", "from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject",
		"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-description":
		return true
	}
	return false
}

// respell removes blanks before the colon, which strict readers refuse.
func (h *header) respell() {
	for i := range h.fields {
		f := &h.fields[i]
		if rest := f.lines[0][len(f.name):]; !strings.HasPrefix(rest, ":") {
			_, after, _ := strings.Cut(rest, ":")
			f.lines[0] = f.name + ":" + after
			h.changes[Spelling] = true
		}
	}
}

// dropEmpty removes address fields without an address, which RFC 5322 does not have.
func (h *header) dropEmpty() {
	if h.remove(func(f *field) bool { return isAddressField(f.lower) && strings.Trim(f.value(), " \t,;") == "" }) {
		h.changes[Empty] = true
	}
}

func isAddressField(lower string) bool {
	switch lower {
	case "from", "sender", "reply-to", "to", "cc", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-reply-to":
		return true
	}
	return false
}

func (h *header) date() {
	f := h.find("date")
	if f != nil {
		if isDate(f.value()) || h.signed {
			return
		}
		if old := f.value(); old != "" {
			h.below = append(h.below, folded("X-Original-Date", old))
		}
		h.remove(func(f *field) bool { return f.lower == "date" })
	}
	if h.o.Undated {
		return
	}
	now := h.o.Now
	if now.IsZero() {
		now = time.Now()
	}
	h.top = append(h.top, "Date: "+now.Format(time.RFC1123Z))
	h.changes[Date] = true
}

func isDate(s string) bool {
	common, comment, commented := strings.Cut(s, " (") // as in "+0000 (UTC)"
	if _, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", common); err == nil && (!commented || isZoneName(comment)) {
		return true
	}
	_, err := mail.ParseDate(s)
	return err == nil && isASCII(s)
}

// isZoneName reports whether the rest of a comment is letters only.
func isZoneName(comment string) bool {
	name, closed := strings.CutSuffix(comment, ")")
	return closed && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') })
}

func (h *header) messageID() {
	if f := h.find("message-id"); f != nil {
		if id := f.value(); h.signed || isMessageID(id) {
			return
		} else if isMessageID("<" + id + ">") {
			f.set("<" + id + ">")
			h.changes[MessageID] = true
			return
		}
		h.remove(func(f *field) bool { return f.lower == "message-id" })
	}
	if h.o.Undated {
		return
	}
	h.top = append(h.top, "Message-ID: "+message.NewMessageID(h.idDomain()))
	h.changes[MessageID] = true
}

// isMessageID reports whether a Message-ID is text in angle brackets. Programs write them without an @,
// which servers take.
func isMessageID(s string) bool {
	inner, opened := strings.CutPrefix(s, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	return opened && closed && inner != "" && len(s) < line998-len("Message-ID: ") &&
		!strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
}

func (h *header) idDomain() string {
	if domain := cmp.Or(h.o.IDDomain, h.addedDomain); domain != "" {
		return domain
	}
	if f := h.find("from"); f != nil {
		for _, m := range members(f.value()) {
			if domain := m.address.ASCIIDomain(); domain != "" && !strings.HasPrefix(domain, "[") {
				return domain
			}
		}
	}
	return "localhost"
}

// foldLong folds lines that are too long at blanks; package message encodes what has none, but not in a
// signed message.
func (h *header) foldLong() error {
	for i := range h.fields {
		f := &h.fields[i]
		tooLong := func(line string) bool { return len(line) > line998 }
		if !slices.ContainsFunc(f.lines, tooLong) {
			continue
		}
		h.changes[FieldLength] = true
		if !h.signed {
			continue
		}
		if f.set(f.value()); slices.ContainsFunc(f.lines, tooLong) {
			return localerr.Errorf("the header field %s has a line of more than %d octets and can't be changed, because the message is signed (DKIM)", f.name, line998)
		}
	}
	return nil
}

// bytes returns the header with the empty line after it.
func (h *header) bytes() []byte {
	size := len("\r\n")
	for _, f := range h.fields {
		for _, line := range f.lines {
			size += len(line) + len("\r\n")
		}
	}
	dst := make([]byte, 0, size+512)
	for _, f := range h.top {
		dst = append(append(dst, f...), '\r', '\n')
	}
	for _, f := range h.fields {
		for _, line := range f.lines {
			dst = append(append(dst, line...), '\r', '\n')
		}
	}
	for _, f := range h.below {
		dst = append(append(dst, f...), '\r', '\n')
	}
	return append(dst, '\r', '\n')
}

const foldAt = 76

// folded returns a field, folded at blanks where a line is longer than 76 octets.
func folded(name, value string) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte(':')
	col := b.Len()
	first := true
	for value = strings.Trim(value, blanks); value != ""; first = false {
		gap := len(value) - len(strings.TrimLeft(value, blanks))
		n := strings.IndexAny(value[gap:], blanks)
		if n < 0 {
			n = len(value) - gap
		}
		word := value[:gap+n]
		value = value[gap+n:]
		if first {
			word = " " + word
		} else if col+len(word) > foldAt {
			b.WriteString("\r\n")
			col = 0
		}
		b.WriteString(word)
		col += len(word)
	}
	return b.String()
}

// encodeHard encodes fields as text that package message can't write in ASCII or in short lines: those
// with a fixed syntax, but with UTF-8 or words that are too long. Addresses with UTF-8 before the @ stay,
// and so do MIME fields. It reports whether it changed anything.
func (h *header) encodeHard() (changed bool) {
	for i := range h.fields {
		if f := &h.fields[i]; isMIME(f.lower) {
			changed = f.cleanMIME() || changed
		} else if h.isHard(f) {
			f.set(mime.BEncoding.Encode("utf-8", f.value()))
			changed = true
		}
	}
	for i, whole := range h.below {
		name, value, _ := strings.Cut(strings.ReplaceAll(whole, "\r\n", ""), ":")
		f := field{name: name, lower: strings.ToLower(name), lines: []string{name + ":" + value}}
		if h.isHard(&f) {
			h.below[i] = folded(name, mime.BEncoding.Encode("utf-8", f.value()))
			changed = true
		}
	}
	return changed
}

func (h *header) isHard(f *field) bool {
	value := f.value()
	long := slices.ContainsFunc(strings.Fields(value), func(word string) bool { return len(word) > line998-len(f.name)-len(": ") })
	if isASCII(value) && !long || isMIME(f.lower) {
		return false
	}
	if isAddressField(f.lower) || f.lower == "x-original-from" {
		for _, m := range members(value) {
			if !m.address.IsZero() {
				return false
			}
		}
		return !isAddressField(f.lower) || h.o.Local != nil
	}
	return true
}

// isMIME reports whether a field says how the body is written.
func isMIME(lower string) bool {
	return lower == "content-type" || lower == "content-disposition" || lower == "content-transfer-encoding"
}

// cleanMIME makes the words of a MIME field ASCII, but not the values of its parameters.
func (f *field) cleanMIME() (changed bool) {
	pieces := strings.Split(f.value(), ";")
	for i, piece := range pieces {
		name, value, found := strings.Cut(piece, "=")
		if isASCII(name) {
			continue
		}
		name = strings.Map(func(r rune) rune {
			if r >= utf8.RuneSelf {
				return '_'
			}
			return r
		}, name)
		if pieces[i] = name; found {
			pieces[i] += "=" + value
		}
		changed = true
	}
	if changed {
		f.set(strings.Join(pieces, ";"))
	}
	return changed
}
