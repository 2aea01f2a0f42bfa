// Package i18n translates the command line's sentences from English to Simplified Chinese.
//
// The English sentence is the key: [Words.T] returns it, or its translation, formatted with the
// arguments as by fmt.Sprintf. A missing translation falls back to English; a test of package cli
// fails if one is missing.
//
// [DetectLanguage] picks the language from the environment, as gettext does.
package i18n

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// Language is a language of the command line.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// ParseLanguage parses the name of a language from a user or the environment: "zh_CN.UTF-8", "zh-Hans",
// "en", "C". ok is false if the language is not supported.
func ParseLanguage(s string) (lang Language, ok bool) {
	name, _, _ := strings.Cut(strings.ToLower(s), ".")
	name, _, _ = strings.Cut(name, "@")
	primary, _, _ := strings.Cut(strings.ReplaceAll(name, "-", "_"), "_")
	switch primary {
	case "zh", "chinese":
		return Chinese, true
	case "en", "c", "posix", "english":
		return English, true
	}
	return English, false
}

// DetectLanguage picks the language: from LC_ALL, LC_MESSAGES or LANG, in this order, or else from the
// system (Windows only). An unsupported language means English.
func DetectLanguage(getenv func(string) string, system func() string) Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			lang, _ := ParseLanguage(v)
			return lang
		}
	}
	lang, _ := ParseLanguage(system())
	return lang
}

// Words translates to one language. The zero value means English.
type Words struct{ lang Language }

// NewWords returns the Words of a language.
func NewWords(lang Language) Words { return Words{lang} }

// Language returns the language.
func (w Words) Language() Language {
	if w.lang == "" {
		return English
	}
	return w.lang
}

// T translates a sentence. It also translates errors among the arguments, as far as package localerr
// created them.
func (w Words) T(english string, args ...any) string {
	s := english
	if w.lang == Chinese {
		for _, table := range tables {
			if translated, ok := table[english]; ok {
				s = translated
				break
			}
		}
	}
	if len(args) == 0 {
		return s
	}
	if w.lang != Chinese {
		return fmt.Sprintf(s, args...)
	}
	said, quotes := slices.Clone(args), strings.Contains(s, "%q")
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			said[i] = w.TranslateError(err)
		}
		if quotes {
			said[i] = quotable{said[i]}
		}
	}
	return fmt.Sprintf(s, said...)
}

// TranslateError translates the text of an error.
func (w Words) TranslateError(err error) string { return localerr.Say(err, w.T) }

// Listed joins the items of an enumeration.
func (w Words) Listed(items []string) string { return strings.Join(items, w.T(", ")) }

// quotable is a value that %q puts into Chinese quotation marks; non-printable characters are
// escaped as usual.
type quotable struct{ value any }

// Format implements [fmt.Formatter].
func (q quotable) Format(f fmt.State, verb rune) {
	if verb != 'q' {
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), q.value)
		return
	}
	s := fmt.Sprintf("%q", q.value)
	quote := `"`
	if _, ok := q.value.(rune); ok {
		quote = "'"
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, quote), quote)
	_, _ = io.WriteString(f, "“"+strings.ReplaceAll(s, `\`+quote, quote)+"”")
}

// ChooseText chooses between two texts that are not in the tables.
func (w Words) ChooseText(english, chinese string) string {
	if w.lang == Chinese && chinese != "" || english == "" {
		return chinese
	}
	return english
}

// Translations returns the table of a language, from English sentence to translation, for tests.
func Translations(lang Language) map[string]string {
	if lang != Chinese {
		return nil
	}
	all := map[string]string{}
	for _, table := range tables {
		for k, v := range table {
			all[k] = v
		}
	}
	return all
}

// tables are the Chinese tables. A sentence is in the table of its first user.
var tables = []map[string]string{
	chinese,
	chineseIdentity,
	chineseAccount,
	chineseLogin,
	chineseDoctor,
	chineseErrors,
	chineseRepair,
	chineseWire,
	chineseOutboxDoor,
	chineseAdmission,
	chineseListen,
	chineseDaemon,
	chineseOutboxBounce,
	chineseOutboxPostgres,
	chineseQueue,
	chineseOutboxSQLite,
	chineseDelivery,
	chineseOutboxStore,
	chineseExplain,
	chineseWhole,
	chineseCompose,
	chineseGiven,
	chinesePipeline,
	chineseSendmail,
}
