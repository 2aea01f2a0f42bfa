package message

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// fieldWithParameters appends a field with parameters, like Content-Disposition: attachment;
// filename=a.txt. Every parameter is a list of words with blanks between.
func (f *folder) fieldWithParameters(name, value string, params [][]string) {
	f.beginField(name)
	for _, words := range params {
		f.appendWord(" ", value+";")
		for _, w := range words[:len(words)-1] {
			f.appendWord(" ", w)
		}
		value = words[len(words)-1]
	}
	f.appendWord(" ", value)
	f.endField()
}

// formatParameter returns key=value, quoted if necessary; ok is false if that needs more than ASCII or
// more than a line.
func formatParameter(key, value string) (words []string, ok bool) {
	words, ok = wholeParameter(key, value)
	if !ok || len(words[0]) > foldAt-len(" ;") {
		return nil, false
	}
	return words, true
}

// wholeName is formatParameter for a file name, which stays in one piece whatever its length: not
// all mail programs join the sections of RFC 2231, and all accept a longer line.
//
// QUIRK: mblaze and ripmime don't support \" in a quoted string; a name with quotes is written as
// in RFC 2231.
func wholeName(key, value string) (words []string, ok bool) {
	if strings.Contains(value, `"`) {
		return nil, false
	}
	return wholeParameter(key, value)
}

// wholeParameter is formatParameter with any line length that RFC 5322 allows.
func wholeParameter(key, value string) (words []string, ok bool) {
	p := key + "=" + value
	if value == "" || strings.ContainsFunc(value, func(r rune) bool {
		// QUIRK: *, ' and % are allowed in a token, but Python's email takes them for RFC 2231:
		// it reads a bare a*.txt as "a".
		return r >= utf8.RuneSelf || !isTokenChar(byte(r)) || strings.ContainsRune("*'%", r)
	}) {
		p = key + "=" + quotedString(value)
	}
	if !isASCII(value) || strings.Contains(value, "=?") || len(p) > maxLine-len(" ;") {
		return nil, false
	}
	return []string{p}, true
}

// extendedParameter writes a parameter as in RFC 2231: key*=UTF-8”…, in several sections key*0*=, key*1*=
// if one line is not enough.
func extendedParameter(key, value string) [][]string {
	const charset = "UTF-8''"
	whole := key + "*=" + charset + percentEncode(value)
	if len(whole) <= foldAt-len(" ;") {
		return [][]string{{whole}}
	}
	var sections [][]string
	prefix := charset
	for value != "" {
		section := fmt.Sprintf("%s*%d*=%s", key, len(sections), prefix)
		for value != "" {
			_, n := utf8.DecodeRuneInString(value)
			encoded := percentEncode(value[:n])
			if len(section)+len(encoded) > foldAt-len(" ;") {
				break
			}
			section += encoded
			value = value[n:]
		}
		sections = append(sections, []string{section})
		prefix = ""
	}
	return sections
}

func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < utf8.RuneSelf && isTokenChar(c) && c != '*' && c != '\'' && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// encodedName writes a parameter as encoded words in quotes, which no RFC allows but programs
// without RFC 2231, like old Foxmail and Outlook, need. It is only for name= of Content-Type.
func encodedName(value string) []string {
	const key = "name"
	e := shorterEncoding(value)
	var words []string
	for value != "" {
		const room = foldAt - len(key) - len(` =";`) - len(`"`)
		p, rest := e.cutWord(value, room, room)
		words = append(words, string(p.appendTo(nil)))
		value = rest
	}
	words[0] = key + `="` + words[0]
	words[len(words)-1] += `"`
	return words
}

// fileNameParameters writes a file name as filename= of Content-Disposition: literally or as in
// RFC 2231, never both.
//
// QUIRK: if both are there, Python's compat32 API, nmh, mblaze and s-nail take the wrong one, and
// ripmime joins them. Programs without RFC 2231 use name= of Content-Type.
func fileNameParameters(name string) [][]string {
	if plain, ok := wholeName("filename", name); ok {
		return [][]string{plain}
	}
	return extendedParameter("filename", name)
}

// isTokenChar reports a character of a token (RFC 2045 section 5.1).
func isTokenChar(c byte) bool {
	return c > ' ' && c <= '~' && !strings.ContainsRune(`()<>@,;:\"/[]?=`, rune(c))
}
