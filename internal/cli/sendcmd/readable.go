package sendcmd

import (
	"unicode/utf8"

	"github.com/yanmail/yan/internal/charset"
)

// readable is a text in UTF-8; where says what it came from. --charset is for text
// from files and standard input; what is piped in and no UTF-8 is in the charset of
// the console or the locale, if anything says which that is.
func (a *runner) readable(s *sendFlags, where, text string, piped bool) (string, error) {
	if s.charset != "" {
		return a.decoded(where, func() (string, error) { return charset.Decode(text, s.charset) })
	}
	if piped && !utf8.ValidString(text) {
		if name := charset.OfInput(a.Getenv); name != "" {
			if decoded, err := charset.Decode(text, name); err == nil {
				a.Hint(a.T("%s was read as %s; --charset names another charset.", where, name))
				text = decoded
			}
		}
	}
	return text, a.Text(where, text)
}

// readableHTML is readable for a page, which may say its charset itself.
func (a *runner) readableHTML(s *sendFlags, where, page string) (string, error) {
	return a.decoded(where, func() (string, error) { return charset.HTML(page, s.charset) })
}

func (a *runner) decoded(where string, decode func() (string, error)) (string, error) {
	text, err := decode()
	if err != nil {
		return "", a.Dataf("%s: %v", where, err)
	}
	return text, a.Text(where, text)
}

// checkCharset finds a charset that is not known before anything is read.
func (a *runner) checkCharset(s *sendFlags) error {
	if s.charset == "" {
		return nil
	}
	if _, err := charset.Find(s.charset); err != nil {
		return a.Wrongf("%s: %v", a.Name("charset"), err)
	}
	return nil
}

// charsets are the names that completion offers.
func charsets() []string {
	return []string{"gbk", "gb18030", "big5", "latin1", "windows-1252", "windows-1251", "shift_jis", "euc-kr", "utf-8", "utf-16le"}
}
