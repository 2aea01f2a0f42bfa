package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPlainText(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		"":     "",
		"<p>":  "",
		"<br>": "",
		"<h1>Hi &amp; 雁</h1>\n<p>some <b>bold</b>   text\nwrapped.</p><p>next": "Hi & 雁\n\nsome bold text wrapped.\n\nnext\n",
		"a<br>b<br><br>c":          "a\nb\n\nc\n",
		"<div>a</div><div>b</div>": "a\nb\n",
		"<p>see <a href='https://x.y/?a=1&amp;b=2'>the page</a>.":                                              "see the page <https://x.y/?a=1&b=2>.\n",
		"<a href='https://x.y/'>https://x.y/</a> <a href=http://x.y/>x.y</a> <a href='mailto:a@b.c'>a@b.c</a>": "https://x.y/ x.y a@b.c\n",
		"<a href='mailto:a@b.c'>write</a>, <a href='#top'>up</a>, <a href='javascript:x()'>js</a>":             "write <a@b.c>, up, js\n",
		"<a href='https://x.y/'><img src=a alt='Our logo'></a>":                                                "[Our logo] <https://x.y/>\n",
		"<ul><li>one<li>two <ol><li>a</li><li>b</li></ol></li><li>three</ul>after":                             "- one\n- two\n  1. a\n  2. b\n- three\n\nafter\n",
		"<table><tr><th>A<th>B<tr><td>1<td>2</table>":                                                          "A | B\n1 | 2\n",
		"<table><tr><td><p>left</p><td><p>right</p></table>":                                                   "left\n\nright\n",
		"<p>so:<blockquote><p>quoted<p>twice</blockquote>end":                                                  "so:\n\n> quoted\n>\n> twice\n\nend\n",
		"<pre>  code\n\n   more</pre>x":                                                                        "  code\n\n   more\n\nx\n",
		"a<hr>b":                                                                                               "a\n\n----\n\nb\n",
		"<head><title>T</title></head><style>p{}</style><script>x('<p>')</script><div style='display: none'>x<div>y</div>z</div>shown": "shown\n",
		"1 &lt; 2 &#x4e2d; a&nbsp;b":            "1 < 2 中 a b\n",
		"<p>一<b>二</b>三</p>":                     "一二三\n",
		"</ul></ul></blockquote></pre></a>text": "text\n",
		"<p hidden>x</p><img hidden>y":          "y\n",
	} {
		if got := PlainText(page); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", page, got, want)
		}
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add("<ul><li><blockquote>a<pre>\n b</pre><a href=x:y><table><tr><td>c<td>d")
	f.Add("<svg><div style=display:none><br></svg>&nbsp;\r\n\x00")
	f.Fuzz(func(t *testing.T, page string) {
		got := PlainText(page)
		if utf8.ValidString(page) && !utf8.ValidString(got) || got != "" && !strings.HasSuffix(got, "\n") || strings.Contains(got, " \n") && !strings.Contains(page, "pre") {
			t.Fatalf("%q became %q", page, got)
		}
	})
}
