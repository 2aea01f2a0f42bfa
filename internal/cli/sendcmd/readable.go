package sendcmd

import (
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/charset"
)

// decodeText returns text in UTF-8; where is its source. --charset applies to files and standard
// input. Piped text that is not UTF-8 is in the charset of the console or the locale, if that is
// known.
func (c *composer) decodeText(where, text string, piped bool) (string, error) {
	if c.s.charset != "" {
		return c.decodeChecked(where, func() (string, error) { return charset.Decode(text, c.s.charset) })
	}
	if piped && !utf8.ValidString(text) {
		if name := charset.OfInput(c.Getenv); name != "" {
			if decoded, err := charset.Decode(text, name); err == nil {
				c.Hint(c.T("%s was read as %s; use --charset if that is wrong.", where, name))
				text = decoded
			}
		}
	}
	return text, c.Text(where, text)
}

// decodeHTML is readable for an HTML page, which may declare its own charset.
func (c *composer) decodeHTML(where, page string) (string, error) {
	return c.decodeChecked(where, func() (string, error) { return charset.HTML(page, c.s.charset) })
}

func (c *composer) decodeChecked(where string, decode func() (string, error)) (string, error) {
	text, err := decode()
	if err != nil {
		return "", c.Dataf("%s: %v", where, err)
	}
	return text, c.Text(where, text)
}

// charsetNames returns the names that completion offers.
func charsetNames() []string {
	return []string{"gbk", "gb18030", "big5", "latin1", "windows-1252", "windows-1251", "shift_jis", "euc-kr", "utf-8", "utf-16le"}
}
