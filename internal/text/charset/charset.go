// Package charset decodes text that is not UTF-8.
//
// [Decode] takes a charset by its name or by the number of a Windows code page. [HTML] uses the
// charset that a page declares. [OfInput] returns the charset of programs that write to standard
// input.
//
// Nothing is guessed from octets: any octets are valid text in some charset.
package charset

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yanmail/yan/internal/localerr"
)

// Find returns the encoding of a name: "gbk", "Big5", "latin1", "cp936", "936".
func Find(name string) (encoding.Encoding, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	page := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(name, "windows-"), "cp"), "ms")
	switch {
	case page == "936" || page == "54936" || name == "gbk" || name == "gb2312" || name == "gb18030":
		return simplifiedchinese.GB18030, nil // a superset of the others
	case page == "437":
		return charmap.CodePage437, nil
	case page == "850":
		return charmap.CodePage850, nil
	case page == "852":
		return charmap.CodePage852, nil
	case page == "866":
		return charmap.CodePage866, nil
	}
	known := map[string]string{"950": "big5", "932": "shift_jis", "949": "euc-kr", "65001": "utf-8", "1200": "utf-16le", "1201": "utf-16be"}[page]
	switch {
	case known != "":
		name = known
	case len(page) == 4 && strings.HasPrefix(page, "125"):
		name = "windows-" + page
	}
	found, err := htmlindex.Get(name)
	if err == nil && found != encoding.Replacement {
		return found, nil
	}
	return nil, localerr.Errorf("unknown charset %q; examples: gbk, big5, latin1, shift_jis, cp936", name)
}

// Decode converts text from the named charset to UTF-8. Octets that are invalid in that charset are
// an error.
func Decode(text, name string) (string, error) {
	from, err := Find(name)
	if err != nil {
		return "", err
	}
	decoded, err := from.NewDecoder().String(text)
	if err == nil && !strings.ContainsRune(decoded, utf8.RuneError) {
		return strings.TrimPrefix(decoded, "\ufeff"), nil
	}
	return "", localerr.Errorf("the text is not in %s", name)
}

var meta = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(<meta[^>]{0,200}?charset\s*=\s*["']?\s*)([a-z0-9][a-z0-9_:.-]{0,39})`)
})

// HTML converts a page to UTF-8 from the named charset or, if name is "", from UTF-8 or the charset
// that the page declares. It changes the declaration to utf-8, too.
func HTML(page, name string) (string, error) {
	const head = 1 << 10
	found := meta().FindStringSubmatchIndex(page[:min(head, len(page))])
	if name == "" {
		if utf8.ValidString(page) || found == nil {
			return page, nil
		}
		name = page[found[4]:found[5]]
	}
	decoded, err := Decode(page, name)
	if err != nil {
		return "", err
	}
	if found = meta().FindStringSubmatchIndex(decoded[:min(head, len(decoded))]); found != nil {
		decoded = decoded[:found[4]] + "utf-8" + decoded[found[5]:]
	}
	return decoded, nil
}

// ofLocale returns the charset in LC_ALL, LC_CTYPE or LANG: GBK for zh_CN.GBK.
func ofLocale(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			_, charset, _ := strings.Cut(v, ".")
			charset, _, _ = strings.Cut(charset, "@")
			return charset
		}
	}
	return ""
}
