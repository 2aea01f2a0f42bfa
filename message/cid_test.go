package message

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// References find their pictures, for all names and all forms of reference in HTML.
func TestInlineImagesAreFound(t *testing.T) {
	t.Parallel()
	names := []string{"logo.png", "图.png", "my logo.png", "a(1).png", "50%.png", "a&b.png", "it's.png", "re\u0301sume\u0301.png", "a;b=c.png", strings.Repeat("长", 60) + ".png"}
	forms := map[string]func(string) string{
		"as it is":        func(n string) string { return `<img src="cid:` + strings.ReplaceAll(n, "&", "&amp;") + `">` },
		"percent-encoded": func(n string) string { return `<IMG SRC="CID:` + url.PathEscape(n) + `">` },
		"apostrophes": func(n string) string {
			return `<img src='cid:` + url.QueryEscape(strings.ReplaceAll(n, " ", "_")) + `'>`
		},
		"no quotes":   func(n string) string { return `<td background=cid:` + url.PathEscape(n) + `>` },
		"style":       func(n string) string { return `<p style="background:url('cid:` + url.PathEscape(n) + `')">` },
		"style sheet": func(n string) string { return `<style>p { background: url("cid:` + n + `") }</style>` },
		"for Outlook": func(n string) string {
			return `<!--[if gte mso 9]><v:fill src="cid:` + url.PathEscape(n) + `"/><![endif]--><!-- cid:logo.png -->`
		},
		"in quotes twice": func(n string) string { return `<p style="background:url(&quot;cid:` + url.PathEscape(n) + `&quot;)">` },
	}
	for _, name := range names {
		for how, form := range forms {
			if how == "apostrophes" && strings.ContainsAny(name, " +") || how == "style sheet" && strings.Contains(name, "%") {
				continue
			}
			const around = "<p>cid:logo.png, \"cid:图.png\"</p>"
			m := &Message{From: "a@b.c", To: []string{"x@y.z"}, HTML: around + form(name),
				Attachments: []Attachment{{Name: name, Inline: true, Data: []byte("x")}}}
			p := parse(t, write(t, compose(t, m)))
			id := strings.Trim(p.leaves[1].id, "<>")
			html := string(p.leaves[0].body)
			if !strings.HasSuffix(id, "@b.c") || strings.Count(html, id) != 1 || !strings.HasPrefix(html, around) {
				t.Errorf("%s, %s: id %q in %q", name, how, id, html)
			}
			if missing, unused := CheckImages(m); len(missing)+len(unused) > 0 {
				t.Errorf("%s, %s: missing %q, unused %q", name, how, missing, unused)
			}
		}
	}
}

func TestReferencesToIDsStay(t *testing.T) {
	t.Parallel()
	m := &Message{From: "a@b.c", To: []string{"x@y.z"}, HTML: `<img src="cid:logo@x"><img src="cid:photo.png"><img src=cid:gone.png>`,
		Attachments: []Attachment{{Name: "logo.png", ContentID: "<logo@x>", Inline: true, Data: []byte("x")},
			{Name: "photo.png", Inline: true, Data: []byte("x")}, {Name: "idle.png", Inline: true, Data: []byte("x")}}}
	p := parse(t, write(t, compose(t, m)))
	if html := string(p.leaves[0].body); !strings.Contains(html, `"cid:logo@x"`) || !strings.Contains(html, "cid:gone.png") || strings.Contains(html, "cid:photo.png") ||
		p.leaves[1].id != "<logo@x>" {
		t.Errorf("%s %q", html, p.leaves[1].id)
	}
	missing, unused := CheckImages(m)
	if !slices.Equal(missing, []string{"gone.png"}) || !slices.Equal(unused, []string{"idle.png"}) {
		t.Errorf("missing %q, unused %q", missing, unused)
	}
}

// HTML stays unchanged if no reference changes.
func FuzzRewriteReferences(f *testing.F) {
	for _, s := range []string{`<img src="cid:a b">`, `<style>url(cid:x)</style><p title='cid:`, "<script>cid:</script><!-- cid: -->\x00<", `<a b=cid:c d="cid:e"`, "<plaintext>cid:", `<!--[if mso]><!--[if mso]><img src="cid:a"><![endif]-->`, "<!--[if]><![endif]", "<!--[if mso]>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := rewriteReferences(s, func(string) (string, bool) { return "", false })
		if got != s {
			t.Fatalf("%q became %q", s, got)
		}
		_ = rewriteReferences(s, func(string) (string, bool) { return "1@b.c", true })
	})
}

// The images of a srcset get their IDs like that of src, whatever follows each of them.
func TestImagesOfASrcset(t *testing.T) {
	t.Parallel()
	known := map[string]string{"a.png": "1@x", "b 2.png": "2@x"}
	change := func(reference string) (string, bool) {
		for name, id := range known {
			if namesImage(reference, name) {
				return id, true
			}
		}
		return "", false
	}
	for in, want := range map[string]string{
		`<img src="cid:a.png" srcset="cid:a.png 1x, cid:b%202.png 2x">`:                 `<img src="cid:1@x" srcset="cid:1@x 1x, cid:2@x 2x">`,
		`<img srcset='cid:a.png 100w,cid:b%202.png 200w' src=cid:a.png>`:                `<img srcset='cid:1@x 100w,cid:2@x 200w' src=cid:1@x>`,
		"<source srcset = \"\n  cid:a.png 1x,\n  cid:b%202.png 2x\n\" media=\"print\">": "<source srcset = \"\n  cid:1@x 1x,\n  cid:2@x 2x\n\" media=\"print\">",
		`<source SRCSET="cid:a.png,cid:b%202.png">`:                                     `<source SRCSET="cid:1@x,cid:2@x">`,
		`<source srcset=cid:a.png>`:                                                     `<source srcset=cid:1@x>`,
		`<img srcset="https://example.org/a.png 1x, cid:a.png 2x">`:                     `<img srcset="https://example.org/a.png 1x, cid:1@x 2x">`,
		`<img srcset="cid:other.png 1x, cid:a.png 2x">`:                                 `<img srcset="cid:other.png 1x, cid:1@x 2x">`,
		`<img src="cid:b 2.png">`:                                                       `<img src="cid:2@x">`,
		`<p>srcset="cid:a.png"</p>`:                                                     `<p>srcset="cid:a.png"</p>`,
	} {
		if got := rewriteReferences(in, change); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
	missing, unused := CheckImages(&Message{HTML: `<img srcset="cid:a.png 1x, cid:none.png 2x">`,
		Attachments: []Attachment{{Name: "a.png", Inline: true}}})
	if len(missing) != 1 || missing[0] != "none.png" || len(unused) != 0 {
		t.Errorf("missing %q, unused %q", missing, unused)
	}
}
