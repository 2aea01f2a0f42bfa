package charset

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, err string }{
		{"gbk", "\xc4\xe3\xba\xc3", "你好", ""},
		{"GB2312", "\xc4\xe3\xba\xc3", "你好", ""},
		{"cp936", "\xc4\xe3\xba\xc3", "你好", ""},
		{"936", "\xc4\xe3\xba\xc3\x80", "你好€", ""},
		{"gb18030", "\x82\x35\x8f\x33", "龦", ""},
		{"Big5", "\xa7A\xa6n", "你好", ""},
		{"cp950", "\xa7A\xa6n", "你好", ""},
		{"shift_jis", "\x82\xb1\x82\xf1", "こん", ""},
		{"932", "\x82\xb1\x82\xf1", "こん", ""},
		{"euc-kr", "\xc7\xd1", "한", ""},
		{"latin1", "Gr\xfc\xdfe", "Grüße", ""},
		{"ISO-8859-1", "Gr\xfc\xdfe", "Grüße", ""},
		{"cp1252", "\x80", "€", ""},
		{"windows-1251", "\xcf", "П", ""},
		{"koi8-r", "\xf0", "П", ""},
		{"cp437", "\x81", "ü", ""},
		{"cp850", "\x81", "ü", ""},
		{"utf-16le", "\x60\x4f", "你", ""},
		{"utf-8", "\ufeff你", "你", ""},
		{"gbk", "\xff\xff", "", "the text is not in gbk"},
		{"utf-8", "\xc4\xe3", "", "the text is not in utf-8"},
		{"klingon", "", "", `unknown charset "klingon"`},
		{"hz-gb-2312", "~{", "", `unknown charset`}, // browsers refuse to decode it
		{"", "", "", `unknown charset ""`},
	} {
		got, err := Decode(tt.text, tt.name)
		if got != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s of %q: %q, %v", tt.name, tt.text, got, err)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	const gbk = "\xc4\xe3"
	for _, tt := range []struct{ page, name, want string }{
		{"<p>你", "", "<p>你"},
		{"<meta charset=gbk><p>你", "", "<meta charset=gbk><p>你"}, // it is UTF-8, whatever it declares
		{"<meta charset=gbk><p>" + gbk, "", "<meta charset=utf-8><p>你"},
		{`<META http-equiv="Content-Type" content="text/html; charset=GB2312"><p>` + gbk, "", `<META http-equiv="Content-Type" content="text/html; charset=utf-8"><p>你`},
		{"<p>" + gbk, "gbk", "<p>你"},
		{"<meta charset='big5'><p>" + gbk, "gbk", "<meta charset='utf-8'><p>你"},
		{"<p>" + gbk, "", "<p>" + gbk}, // the caller refuses it
	} {
		if got, err := HTML(tt.page, tt.name); got != tt.want || err != nil {
			t.Errorf("%q: %q, %v", tt.page, got, err)
		}
	}
	if _, err := HTML("<meta charset=klingon>"+gbk, ""); err == nil {
		t.Error("an unknown charset was accepted")
	}
}

func TestOfLocale(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ all, ctype, lang, want string }{
		{"", "", "zh_CN.GBK", "GBK"}, {"", "zh_TW.Big5@x", "en_US.UTF-8", "Big5"}, {"C", "", "zh_CN.GBK", ""}, {"", "", "", ""},
	} {
		env := map[string]string{"LC_ALL": tt.all, "LC_CTYPE": tt.ctype, "LANG": tt.lang}
		if got := ofLocale(func(name string) string { return env[name] }); got != tt.want {
			t.Errorf("%v: %q", tt, got)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("<meta charset=gbk>\xc4\xe3", "")
	f.Add("<p>", "latin1")
	f.Fuzz(func(t *testing.T, page, name string) {
		if got, err := HTML(page, name); err == nil && name != "" && !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
	})
}
