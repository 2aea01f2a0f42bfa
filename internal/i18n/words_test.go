package i18n

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/localerr"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		lang Language
		ok   bool
	}{
		"zh": {Chinese, true}, "zh_CN.UTF-8": {Chinese, true}, "zh-Hans-CN": {Chinese, true}, "ZH_TW": {Chinese, true}, "Chinese": {Chinese, true},
		"en": {English, true}, "en_GB@euro": {English, true}, "C": {English, true}, "C.UTF-8": {English, true}, "POSIX": {English, true},
		"": {English, false}, "fr_FR": {English, false}, "zhx": {English, false},
	} {
		if lang, ok := ParseLanguage(in); lang != want.lang || ok != want.ok {
			t.Errorf("Parse(%q) = %s, %v", in, lang, ok)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env    map[string]string
		system string
		want   Language
	}{
		{nil, "", English},
		{nil, "zh-CN", Chinese},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, "en-US", Chinese},
		{map[string]string{"LANG": "en_US.UTF-8"}, "zh-CN", English},
		{map[string]string{"LANG": "zh_CN", "LC_MESSAGES": "en_US"}, "", English},
		{map[string]string{"LANG": "en_US", "LC_MESSAGES": "en_US", "LC_ALL": "zh_CN"}, "", Chinese},
		{map[string]string{"LANG": "fr_FR"}, "zh-CN", English}, // an unsupported language is not Chinese
	} {
		got := DetectLanguage(func(name string) string { return test.env[name] }, func() string { return test.system })
		if got != test.want {
			t.Errorf("%v, system %q: %s, want %s", test.env, test.system, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	en, zh := NewWords(English), NewWords(Chinese)
	for got, want := range map[string]string{
		en.T("accepted"):                                  "accepted",
		zh.T("accepted"):                                  "已接收",
		zh.T("%d octets of nothing", 3):                   "3 octets of nothing", // not translated: English
		zh.T("queued as %s", "X"):                         "服务器队列号 X",
		en.T("100% sure"):                                 "100% sure", // without arguments it is not a format
		Words{}.T("accepted"):                             "accepted",
		zh.T("unknown command %q", "a\"b\x1b"):            `没有命令“a"b\x1b”`,
		en.T("unknown command %q", "a"):                   `unknown command "a"`,
		zh.T("%s %q: want one of %s", "-x", "é中", "7"):    "-x “é中”：应为 7 之一",
		string(Words{}.Language()):                        "en",
		en.ChooseText("a", "b") + zh.ChooseText("a", "b"): "ab",
		en.ChooseText("", "b") + zh.ChooseText("a", ""):   "ba",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Translations(English) != nil || len(Translations(Chinese)) < 100 {
		t.Error("only Chinese has translations")
	}
}

// A sentence is in one table only: of two translations one would be lost.
func TestNoSentenceIsTranslatedTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, table := range tables {
		for english := range table {
			if seen[english] {
				t.Errorf("translated twice: %q", english)
			}
			seen[english] = true
		}
	}
	if len(seen) == 0 {
		t.Fatal("no sentences")
	}
}

// Sentences name documents that exist; Chinese sentences name the Chinese documents.
func TestSentencesNameTheirDocuments(t *testing.T) {
	t.Parallel()
	document := regexp.MustCompile(`docs/[\w./-]*\.md`)
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(name)))
		return err == nil
	}
	named := 0
	for english, chinese := range Translations(Chinese) {
		for _, name := range document.FindAllString(english+" "+chinese, -1) {
			named++
			if !exists(name) {
				t.Errorf("%s does not exist: %q", name, english)
			}
		}
		for _, name := range document.FindAllString(chinese, -1) {
			twin := strings.TrimSuffix(name, ".md") + ".zh-CN.md"
			if !strings.HasSuffix(name, ".zh-CN.md") && exists(twin) {
				t.Errorf("names %s instead of %s: %q", name, twin, chinese)
			}
		}
	}
	if named < 5 {
		t.Errorf("only %d documents are named", named)
	}
}

func TestErrorsAreSaid(t *testing.T) {
	t.Parallel()
	empty := localerr.New("address is empty")
	zh := NewWords(Chinese)
	for got, want := range map[string]string{
		zh.T("%s: can't be used: %v", "a.toml", empty):                                            "a.toml：无法使用：地址是空的",
		zh.T("%s: can't be used: %v", "a.toml", localerr.Errorf("%q: %w", "x", empty)):            "a.toml：无法使用：“x”：地址是空的",
		zh.T("%s: can't be used: %v", "a.toml", io.EOF):                                           "a.toml：无法使用：EOF",
		zh.TranslateError(fmt.Errorf("x: %w", empty)):                                             "x: 地址是空的",
		zh.TranslateError(localerr.Errorf("%q is not allowed before the @", ' ')):                 "@ 之前不能有“ ”",
		NewWords(English).TranslateError(localerr.Errorf("%q is not allowed before the @", '\'')): `'\'' is not allowed before the @`,
		NewWords(English).T("%s: can't be used: %v", "a.toml", empty):                             "a.toml: can't be used: address is empty",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
