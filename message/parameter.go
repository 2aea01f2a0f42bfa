package message

import (
	"fmt"
	"maps"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// parameterized appends a field with parameters, like
// Content-Disposition: attachment; filename=a.txt. Every parameter is a list
// of words with blanks between.
func (f *folder) parameterized(name, value string, params [][]string) {
	f.begin(name)
	for _, words := range params {
		f.word(" ", value+";")
		for _, w := range words[:len(words)-1] {
			f.word(" ", w)
		}
		value = words[len(words)-1]
	}
	f.word(" ", value)
	f.end()
}

// parameter writes key=value, quoted if need be; ok is false if that takes more
// than ASCII or more than a line.
func parameter(key, value string) (words []string, ok bool) {
	p := key + "=" + value
	if value == "" || strings.ContainsFunc(value, func(r rune) bool {
		return r >= utf8.RuneSelf || !isTokenChar(byte(r))
	}) {
		p = key + "=" + quote(value)
	}
	if !isASCII(value) || strings.Contains(value, "=?") || len(p) > foldAt-len(" ;") {
		return nil, false
	}
	return []string{p}, true
}

// extended writes a parameter as RFC 2231 has it: key*=UTF-8”…, in several
// sections key*0*=, key*1*= where one line is not enough.
func extended(key, value string) [][]string {
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

// twin writes a parameter as encoded words in quotes, which no RFC allows and
// readers that never learnt RFC 2231, old Foxmail and Outlook among them, want.
func twin(key, value string) []string {
	e := shorterEncoding(value)
	var words []string
	room := foldAt - len(key) - len(` =";`) - len(`"`)
	for value != "" {
		head, rest := e.cut(value, room, room)
		words = append(words, e.word(head))
		value = rest
	}
	words[0] = key + `="` + words[0]
	words[len(words)-1] += `"`
	return words
}

// fileNameParameters is a file name as filename= of Content-Disposition: as it
// is, or else as RFC 2231 has it and then its twin. The order matters to
// readers that take the first of two.
func fileNameParameters(name string) [][]string {
	if plain, ok := parameter("filename", name); ok {
		return [][]string{plain}
	}
	return append(extended("filename", name), twin("filename", name))
}

// isTokenChar is a character of a token (RFC 2045 section 5.1).
func isTokenChar(c byte) bool {
	return c > ' ' && c <= '~' && !strings.ContainsRune(`()<>@,;:\"/[]?=`, rune(c))
}

// mediaType is a checked content type.
type mediaType struct {
	full   string
	params map[string]string
}

// parseMediaType reads a content type for an attachment.
func parseMediaType(s string) (mediaType, error) {
	if err := checkText(s, false); err != nil {
		return mediaType{}, err
	}
	full, params, err := mime.ParseMediaType(s)
	if err != nil {
		return mediaType{}, fmt.Errorf("%q is not a media type: %w", s, err)
	}
	main, sub, ok := strings.Cut(full, "/")
	if !ok || main == "" || sub == "" || len(full) >= foldAt {
		return mediaType{}, fmt.Errorf("%q is not a media type like application/pdf", s)
	}
	if main == "multipart" || main == "message" {
		return mediaType{}, fmt.Errorf("%s can't be base64 (RFC 2046 section 5.2.1); use application/octet-stream", full)
	}
	for key, value := range params {
		if err := checkText(value, false); err != nil {
			return mediaType{}, fmt.Errorf("its parameter %s %w", key, err)
		}
		if len(key) > foldAt/2 {
			return mediaType{}, fmt.Errorf("the name of its parameter %s is too long", key)
		}
	}
	delete(params, "name") // the file name says it
	return mediaType{full, params}, nil
}

// field appends the Content-Type of an attachment with this file name.
func (m mediaType) field(f *folder, fileName string) {
	var params [][]string
	for _, key := range slices.Sorted(maps.Keys(m.params)) {
		if plain, ok := parameter(key, m.params[key]); ok {
			params = append(params, plain)
		} else {
			params = append(params, extended(key, m.params[key])...)
		}
	}
	if fileName != "" {
		words, ok := parameter("name", fileName)
		if !ok {
			words = twin("name", fileName)
		}
		params = append(params, words)
	}
	f.parameterized("Content-Type", m.full, params)
}

// mediaTypeByName goes by the extension of a file name. The list is our own
// rather than the machine's, so that a message is the same wherever it is made.
func mediaTypeByName(name string) mediaType {
	return mediaType{full: typeOfExtension(strings.ToLower(path.Ext(name)))}
}

func typeOfExtension(ext string) string {
	switch ext {
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".gz", ".tgz":
		return "application/gzip"
	case ".7z":
		return "application/x-7z-compressed"
	case ".rar":
		return "application/vnd.rar"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".doc":
		return "application/msword"
	case ".docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case ".xls":
		return "application/vnd.ms-excel"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".ppt":
		return "application/vnd.ms-powerpoint"
	case ".pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case ".txt", ".log":
		return "text/plain"
	case ".csv":
		return "text/csv"
	case ".html", ".htm":
		return "text/html"
	case ".css":
		return "text/css"
	case ".md":
		return "text/markdown"
	case ".ics":
		return "text/calendar"
	case ".vcf":
		return "text/vcard"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".svg":
		return "image/svg+xml"
	case ".bmp":
		return "image/bmp"
	case ".mp3":
		return "audio/mpeg"
	case ".wav":
		return "audio/wav"
	case ".mp4":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	}
	return "application/octet-stream"
}
