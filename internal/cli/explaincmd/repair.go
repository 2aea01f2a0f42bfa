package explaincmd

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/yanmail/yan/smtp"
)

// misread matches runs of Latin-1 and Windows-1252 letters and signs, as
// Chinese text looks if its octets are read in one of these encodings.
var misread = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[\x{80}-\x{ff}\x{152}\x{153}\x{160}\x{161}\x{178}\x{17d}\x{17e}\x{192}\x{2c6}\x{2dc}\x{2013}-\x{203a}\x{20ac}\x{2122}]{4,}`)
})

// repairChinese restores Chinese text that was misread as Latin-1: "ÓÃ»§" is 用户 in
// GBK, "ç”¨æˆ·" the same in UTF-8. A run that does not become Chinese
// completely is left alone, like accents of other languages.
func repairChinese(text string) string {
	return misread().ReplaceAllStringFunc(text, func(run string) string {
		for _, charset := range []*charmap.Charmap{charmap.ISO8859_1, charmap.Windows1252} {
			octets, err := charset.NewEncoder().String(run)
			if err != nil {
				continue
			}
			if got := smtp.DecodeText([]byte(octets)); isChinese(got) {
				return got
			}
		}
		return run
	})
}

func isChinese(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.Is(unicode.Han, r) && (r < 0x3000 || r > 0x303f) && (r < 0xff00 || r > 0xffef)
	})
}
