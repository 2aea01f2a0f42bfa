package message

import (
	"bytes"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// fitHeader is the original header of a message or of a part.
type fitHeader []fitField

// fitField is a field: its lines without line ends.
type fitField struct {
	name  string // as written
	lower string
	lines [][]byte
}

// addLine adds a line; ok is false if it is not a line of a header.
func (h *fitHeader) addLine(line []byte) (ok bool) {
	line = bytes.Clone(line)
	if line[0] == ' ' || line[0] == '\t' {
		if len(*h) == 0 {
			return false
		}
		last := &(*h)[len(*h)-1]
		last.lines = append(last.lines, line)
		return true
	}
	lower, _, ok := cutField(line)
	if !ok {
		return false
	}
	name, _, _ := bytes.Cut(line, []byte(":"))
	*h = append(*h, fitField{name: strings.TrimRight(string(name), blanks), lower: lower, lines: [][]byte{line}})
	return true
}

// fieldValue returns the first field with a name, unfolded; "" if there is none.
func (h fitHeader) fieldValue(lower string) string {
	for _, f := range h {
		if f.lower == lower {
			return strings.Trim(f.value(), blanks)
		}
	}
	return ""
}

func (h fitHeader) hasField(lower string) bool {
	for _, f := range h {
		if f.lower == lower {
			return true
		}
	}
	return false
}

func (f *fitField) value() string {
	whole := string(bytes.Join(f.lines, nil))
	_, value, _ := strings.Cut(whole, ":")
	return value
}

// fitsAsIs reports whether the field can be sent unchanged.
func (f *fitField) fitsAsIs() bool {
	for _, line := range f.lines {
		if len(line) > maxLine || !isASCII(string(line)) {
			return false
		}
	}
	return true
}

func (f *fitField) isShort() bool {
	return !slices.ContainsFunc(f.lines, func(line []byte) bool { return len(line) > maxLine })
}

// appendTo writes a field, encoded if necessary: names and text become encoded words (RFC 2047),
// parameters are written as in RFC 2231, long lines are folded. Text that can't be written in
// ASCII stays, and needs SMTPUTF8.
func (f *fitField) appendTo(dst []byte) ([]byte, error) {
	start := len(dst)
	if f.fitsAsIs() || !utf8.ValidString(f.value()) && f.isShort() {
		for _, line := range f.lines {
			dst = append(append(dst, line...), '\r', '\n')
		}
		return dst, nil
	}
	w := folder{buf: dst}
	value := strings.Trim(f.value(), blanks)
	switch kind := f.fieldKind(); kind {
	case addressField:
		groups, err := parseHeaderList(value)
		if err != nil || !w.groupField(f.name, groups) {
			w.plainField(f.name, value)
		}
	case parameterField:
		w.parameterField(f.name, value)
	case listField:
		w.beginField(f.name)
		phrase, id := cutListID(value)
		if phrase != "" {
			w.displayName(phrase, false)
			id = "<" + id + ">"
		}
		w.appendWord(" ", id)
		w.endField()
	case textField:
		w.beginField(f.name)
		w.textField(value)
		w.endField()
	default:
		w.plainField(f.name, value)
	}
	for line := range bytes.SplitSeq(w.buf[start:], []byte("\r\n")) {
		if len(line) > maxLine {
			return dst, localerr.Errorf("header field %s has more than %d octets without a space to fold it at", f.name, maxLine)
		}
	}
	return w.buf, nil
}

const longestFitWord = 900

// parameterField is a MIME field with parameters.
const parameterField fieldKind = 100

func (f *fitField) fieldKind() fieldKind {
	switch f.lower {
	case "from", "sender", "reply-to", "to", "cc":
		return addressField
	case "content-type", "content-disposition":
		return parameterField
	case "message-id", "date", "mime-version", "content-transfer-encoding", "content-id", "return-path":
		return codeField
	}
	return kindOfField(f.lower)
}

// plainField writes words unencoded, folded.
func (f *folder) plainField(name, value string) {
	f.beginField(name)
	f.appendWords(value)
	f.endField()
}

// groupField writes an address field; ok is false if it is empty.
func (f *folder) groupField(name string, groups []headerGroup) (ok bool) {
	f.beginField(name)
	for _, g := range groups {
		if !g.isGroup && len(g.boxes) == 0 {
			continue
		}
		if ok {
			f.appendOctet(',')
		}
		ok = true
		if g.isGroup {
			f.displayName(g.name, false)
			f.appendOctet(':')
		}
		for i, m := range g.boxes {
			if i > 0 {
				f.appendOctet(',')
			}
			if m.Name != "" {
				f.displayName(m.Name, strings.EqualFold(name, "From"))
			}
			f.appendWord(" ", "<"+m.Address.Wire()+">")
		}
		if g.isGroup {
			f.appendOctet(';')
		}
	}
	if !ok {
		f.buf = f.buf[:len(f.buf)-len(name)-len(":")]
		return false
	}
	f.endField()
	return true
}

// appendOctet appends a character that needs no blank.
func (f *folder) appendOctet(c byte) {
	f.buf = append(f.buf, c)
	f.col++
}

// parameterField writes a MIME field, its non-ASCII parameters as in RFC 2231.
func (f *folder) parameterField(name, value string) {
	pieces := splitParameters(value)
	var params [][]string
	for _, p := range pieces[1:] {
		key, text, found := strings.Cut(p, "=")
		if !found || isASCII(p) || !isASCII(key) {
			params = append(params, []string{p})
			continue
		}
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, `"`) {
			text = unquoteString(text)
		}
		params = append(params, extendedParameter(strings.TrimRight(strings.TrimSpace(key), "*"), text)...)
	}
	f.fieldWithParameters(name, pieces[0], params)
}

// splitParameters splits at semicolons outside of quotes.
func splitParameters(s string) []string {
	var pieces []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if end := quotedEnd(s[i:]); end > 0 {
				i += end - 1
			}
		case ';':
			pieces = append(pieces, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" || len(pieces) == 0 {
		pieces = append(pieces, last)
	}
	return pieces
}

// mediaType returns the parts of Content-Type that say how a body is divided.
func (h fitHeader) mediaType() (kind, boundary string) {
	value := h.fieldValue("content-type")
	if value == "" {
		return "text/plain", ""
	}
	kind, params, err := mime.ParseMediaType(value)
	if err == nil || kind != "" && params != nil {
		return kind, params["boundary"]
	}
	pieces := splitParameters(value)
	for _, p := range pieces[1:] {
		if key, text, found := strings.Cut(p, "="); found && strings.EqualFold(strings.TrimSpace(key), "boundary") {
			if text = strings.TrimSpace(text); strings.HasPrefix(text, `"`) {
				text = unquoteString(text)
			}
			boundary = text
		}
	}
	return strings.ToLower(pieces[0]), boundary
}

func (h fitHeader) encoding() string {
	return strings.ToLower(h.fieldValue("content-transfer-encoding"))
}
