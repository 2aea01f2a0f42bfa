package message

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// headLength is the number of octets of an attachment that are inspected for its type.
const headLength = 1 << 10

// lookInto completes the type of an attachment from its content: the type if the name has no
// known extension, and the charset of a text. given means that the user set the type; then only a
// charset is added.
func lookInto(src *source, kind mediaType, given bool) (mediaType, error) {
	if kind.full == "" {
		head, err := src.firstOctets(headLength)
		if err != nil {
			return kind, err
		}
		if kind.full = typeOfHead(head); kind.full == "" {
			kind.full = octetStream
		}
	}
	if !strings.HasPrefix(kind.full, "text/") || kind.params["charset"] != "" {
		return kind, nil
	}
	charset, err := src.detectCharset()
	if err != nil {
		return kind, err
	}
	if charset == "" && kind.full == "text/html" {
		head, err := src.firstOctets(headLength)
		if err != nil {
			return kind, err
		}
		charset = charsetOfHTML(head)
	}
	switch {
	case charset != "":
		kind = kind.withCharset("charset", charset)
	case !given: // "text" without a charset means US-ASCII, which this is not
		return mediaType{full: octetStream}, nil
	}
	if kind.full == "text/calendar" && kind.params["method"] == "" && charset == utf8Label {
		head, err := src.firstOctets(headLength)
		if err != nil {
			return kind, err
		}
		if method := calendarProperty(string(head), "METHOD"); isToken(method) {
			kind = kind.withCharset("method", strings.ToUpper(method))
		}
	}
	return kind, nil
}

func (m mediaType) withCharset(key, value string) mediaType {
	params := map[string]string{key: value}
	for k, v := range m.params {
		params[k] = v
	}
	return mediaType{m.full, params}
}

// firstOctets returns up to n octets from the beginning of a source.
func (s *source) firstOctets(n int) ([]byte, error) {
	if s.data != nil {
		return s.data[:min(n, len(s.data))], nil
	}
	r, err := s.open()
	if err != nil || s.size == 0 {
		return nil, err
	}
	head := make([]byte, min(int64(n), s.size))
	_, err = r.readFull(head)
	return head, err
}

// typeOfHead returns the type by the first octets of a file; "" if they don't decide it.
func typeOfHead(head []byte) string {
	for _, known := range [...]struct{ full, magic string }{
		{"image/png", "\x89PNG\r\n\x1a\n"},
		{"image/jpeg", "\xff\xd8\xff"},
		{"image/gif", "GIF87a"},
		{"image/gif", "GIF89a"},
		{"image/tiff", "II*\x00"},
		{"image/tiff", "MM\x00*"},
		{"image/vnd.microsoft.icon", "\x00\x00\x01\x00"},
		{"image/jxl", "\x00\x00\x00\x0cJXL \r\n\x87\n"},
		{"application/pdf", "%PDF-"},
		{"application/zip", "PK\x03\x04"},
		{"application/gzip", "\x1f\x8b\x08"},
		{"application/zstd", "\x28\xb5\x2f\xfd"},
		{"application/x-7z-compressed", "7z\xbc\xaf\x27\x1c"},
		{"application/x-xz", "\xfd7zXZ\x00"},
		{"application/x-bzip2", "BZh"},
		{"application/vnd.rar", "Rar!\x1a\x07"},
		{"application/rtf", "{\\rtf"},
		{"application/postscript", "%!PS"},
		{"audio/mpeg", "ID3"},
		{"audio/flac", "fLaC"},
		{"audio/ogg", "OggS"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.full
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" {
		return map[string]string{"WEBP": "image/webp", "WAVE": "audio/wav", "AVI ": "video/x-msvideo"}[string(head[8:12])]
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		return typeOfBrand(string(head[8:12]))
	}
	if start := bytes.TrimLeft(head, "\ufeff \t\r\n"); bytes.HasPrefix(start, []byte("<svg")) ||
		bytes.HasPrefix(start, []byte("<?xml")) && bytes.Contains(head, []byte("<svg")) {
		return "image/svg+xml"
	}
	if len(head) > 0 && isPlainText(head) {
		return "text/plain"
	}
	return ""
}

// typeOfBrand returns the type of files that begin with a box "ftyp" (ISO 14496-12).
func typeOfBrand(brand string) string {
	switch brand {
	case "avif", "avis":
		return "image/avif"
	case "heic", "heix", "hevc", "hevx":
		return "image/heic"
	case "mif1", "msf1":
		return "image/heif"
	case "qt  ":
		return "video/quicktime"
	case "M4A ", "M4B ":
		return "audio/mp4"
	}
	return "video/mp4"
}

// isPlainText reports whether a head is UTF-8, except for a character cut at its end, and without
// control characters that texts don't have.
func isPlainText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n == 1:
			return !utf8.FullRune(head)
		case r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r), r == 0x7f:
			return false
		}
		head = head[n:]
	}
	return true
}

var metaCharset = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-z0-9][a-z0-9_:.-]{0,39})`)
})

// charsetOfHTML returns the charset that HTML declares; "" if none.
func charsetOfHTML(head []byte) string {
	if found := metaCharset().FindSubmatch(head); found != nil {
		return strings.ToLower(string(found[1]))
	}
	return ""
}

// utf8Label is the charset of ASCII, too.
const utf8Label = "utf-8"

// detectCharset returns the charset of a text. It reads all of it, so that the label is never wrong. It
// is "" for a text that is neither UTF-8 nor begins with a byte order mark of another Unicode
// encoding.
func (s *source) detectCharset() (string, error) {
	if s.form == nil {
		return s.findCharset()
	}
	s.form.mu.Lock()
	defer s.form.mu.Unlock()
	if s.form.looked {
		return s.form.charset, nil
	}
	var err error
	s.form.charset, err = s.findCharset()
	s.form.looked = err == nil
	return s.form.charset, err
}

func (s *source) findCharset() (string, error) {
	var look textLook
	if s.data != nil {
		look.inspectBlock(s.data)
		return look.detectedCharset(), nil
	}
	var o output // only its read buffer is used
	if err := s.eachBlock(&o, inputBlock, func(block []byte) error {
		look.inspectBlock(block)
		return nil
	}); err != nil {
		return "", err
	}
	return look.detectedCharset(), nil
}

// textLook inspects a text block by block.
type textLook struct {
	begun   bool
	unicode string // by its byte order mark: UTF-16, UTF-32
	tail    [utf8.UTFMax]byte
	left    int // octets in tail: a character that the next block completes
	bad     bool
}

func (l *textLook) inspectBlock(block []byte) {
	if !l.begun {
		l.begun = true
		l.unicode = markOf(block)
	}
	if l.bad || l.unicode != "" {
		return
	}
	for l.left > 0 && len(block) > 0 && !utf8.FullRune(l.tail[:l.left]) {
		l.tail[l.left] = block[0]
		l.left++
		block = block[1:]
	}
	if l.left > 0 && utf8.FullRune(l.tail[:l.left]) {
		l.bad = !utf8.Valid(l.tail[:l.left])
		l.left = 0
	}
	end := len(block)
	for n := 1; n < utf8.UTFMax && n <= len(block); n++ {
		if cut := block[len(block)-n:]; utf8.RuneStart(cut[0]) {
			if !utf8.FullRune(cut) {
				end -= n
				l.left = copy(l.tail[:], cut)
			}
			break
		}
	}
	l.bad = l.bad || !utf8.Valid(block[:end]) || bytes.IndexByte(block, 0) >= 0 ||
		bytes.Contains(block, []byte("\x1b$")) || bytes.Contains(block, []byte("\x1b(")) // ISO 2022, Japanese in 7 bits
}

func (l *textLook) detectedCharset() string {
	switch {
	case l.unicode != "":
		return l.unicode
	case l.bad || l.left > 0:
		return ""
	}
	return utf8Label
}

// markOf returns the encoding that a byte order mark indicates, except UTF-8.
func markOf(block []byte) string {
	for _, mark := range [...]struct{ octets, charset string }{
		{"\xff\xfe\x00\x00", "utf-32"}, {"\x00\x00\xfe\xff", "utf-32"}, {"\xff\xfe", "utf-16"}, {"\xfe\xff", "utf-16"},
	} {
		if bytes.HasPrefix(block, []byte(mark.octets)) {
			return mark.charset
		}
	}
	return ""
}

// isToken reports whether s can be a parameter value without quotes.
func isToken(s string) bool {
	return s != "" && isASCII(s) && !strings.ContainsFunc(s, func(r rune) bool { return !isTokenChar(byte(r)) })
}
