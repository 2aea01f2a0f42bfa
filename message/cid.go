package message

import (
	"html"
	"net/url"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"

	nethtml "golang.org/x/net/html"

	"github.com/yanmail/yan/internal/localerr"
)

// image is an inline attachment that the HTML refers to by its name.
type image struct{ name, id string }

// contentID returns the value of Content-ID; "" for none. An inline attachment without an ID gets
// one, and the HTML's references to its name are rewritten: a name may contain characters that an
// ID can't, and IDs must be globally unique (RFC 2392 section 2).
func (d *draft) contentID(a Attachment, name string) (string, error) {
	switch {
	case a.ContentID != "":
		id, err := bareID(a.ContentID)
		if err != nil {
			return "", localerr.Errorf("content ID %q: %w", excerpt.Runes(a.ContentID, maxQuoted), err)
		}
		return id, nil
	case !a.Inline || d.message.HTML == "":
		return "", nil
	case name == "":
		return "", localerr.New("an inline attachment needs a name or a content ID for the HTML to refer to")
	}
	for _, other := range d.images {
		if other.name == name {
			return "", localerr.New("another inline attachment has the same name; give each its own name or content ID")
		}
	}
	id := NewMessageID(d.from[0].Address.ASCIIDomain())
	id = "image" + strconv.Itoa(len(d.images)+1) + "." + strings.Trim(id, "<>")
	d.images = append(d.images, image{name, id})
	return id, nil
}

// withContentIDs rewrites references to images by name.
func (d *draft) withContentIDs(text string) string {
	if len(d.images) == 0 {
		return text
	}
	return rewriteReferences(text, func(reference string) (string, bool) {
		for _, image := range d.images {
			if namesImage(reference, image.name) {
				return image.id, true
			}
		}
		return "", false
	})
}

// namesImage reports whether a reference, the text after "cid:", is a name: literally or
// percent-encoded.
func namesImage(reference, name string) bool {
	if toNFC(reference) == name {
		return true
	}
	decoded, err := url.PathUnescape(reference)
	return err == nil && toNFC(decoded) == name
}

// CheckImages finds missing pictures, which Compose allows: references cid:… in the HTML without
// an attachment, and inline attachments without a reference. It returns both by name.
func CheckImages(m *Message) (missing, unused []string) {
	used := map[int]bool{}
	rewriteReferences(m.HTML, func(reference string) (string, bool) {
		for i, a := range m.Attachments {
			if a.isMeantBy(reference) {
				used[i] = true
				return "", false
			}
		}
		missing = append(missing, reference)
		return "", false
	})
	for i, a := range m.Attachments {
		if a.Inline && !used[i] {
			unused = append(unused, toNFC(decodedName(a.fileName())))
		}
	}
	return missing, unused
}

func (a Attachment) isMeantBy(reference string) bool {
	if a.ContentID != "" {
		id := strings.Trim(a.ContentID, "<>")
		decoded, err := url.PathUnescape(reference)
		return reference == id || err == nil && decoded == id
	}
	return a.Inline && namesImage(reference, toNFC(decodedName(a.fileName())))
}

// rewriteReferences calls change with the text after each "cid:" in the tags and style sheets of
// HTML, and inserts the result. All other octets stay.
//
// QUIRK: Outlook on Windows reads the HTML in comments like <!--[if mso]>…<![endif]-->,
// and templates put pictures there for it.
func rewriteReferences(text string, change func(reference string) (string, bool)) string {
	return rewriteTokens(text, change, func(comment string) string {
		from, to := strings.Index(comment, "]>"), strings.LastIndex(comment, "<![")
		if from < 0 || to < from+2 || !strings.HasPrefix(comment, "<!--[if") {
			return comment
		}
		unchanged := func(comment string) string { return comment }
		return comment[:from+2] + rewriteTokens(comment[from+2:to], change, unchanged) + comment[to:]
	})
}

func rewriteTokens(text string, change func(reference string) (string, bool), comment func(string) string) string {
	if !hasCID(text) {
		return text
	}
	var b strings.Builder
	z := nethtml.NewTokenizer(strings.NewReader(text))
	rest, style := text, false
	for {
		kind := z.Next()
		raw := string(z.Raw())
		if kind == nethtml.ErrorToken || !strings.HasPrefix(rest, raw) {
			return b.String() + rest
		}
		rest = rest[len(raw):]
		switch kind {
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			name, _ := z.TagName()
			style = kind == nethtml.StartTagToken && string(name) == "style"
			raw = changeReferences(raw, change)
		case nethtml.TextToken:
			if style {
				raw = changeReferences(raw, change)
			}
		case nethtml.CommentToken:
			raw = comment(raw)
		default:
			style = false
		}
		b.WriteString(raw)
	}
}

func hasCID(s string) bool { return indexCID(s) >= 0 }

// indexCID returns the index of "cid:" in any case.
func indexCID(s string) int {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], ':')
		if i < 0 {
			return -1
		}
		if at += i; at >= 3 && strings.EqualFold(s[at-3:at], "cid") {
			return at - 3
		}
		at++
	}
}

// opensSrcset reports whether a tag, cut off before a reference, ends with the quote that begins
// the value of srcset or imagesrcset: a list of images, each with an optional width or density
// (HTML, section 4.8.4.2.1).
func opensSrcset(before string) bool {
	name := strings.TrimRight(before, `"'`)
	if len(name) != len(before)-1 {
		return false
	}
	name, ok := strings.CutSuffix(strings.TrimRight(name, " \t\r\n\f"), "=")
	name = strings.TrimRight(name, " \t\r\n\f")
	const srcset = "srcset"
	return ok && len(name) > len(srcset) && strings.EqualFold(name[len(name)-len(srcset):], srcset)
}

// changeReferences rewrites the references of one tag or style sheet. A reference ends with the
// construct that contains it: at the quote, the parenthesis, or, in an attribute without quotes,
// at a blank or the end of the tag.
func changeReferences(s string, change func(string) (string, bool)) string {
	var b strings.Builder
	for {
		at := indexCID(s)
		if at < 0 {
			break
		}
		start := at + len("cid:")
		before := strings.TrimRight(s[:at], " \t\r\n")
		b.WriteString(s[:start])
		s = s[start:]
		stop, entity := "", ""
		switch {
		case opensSrcset(before):
			stop = " \t\r\n\f," + before[len(before)-1:]
		case strings.HasSuffix(before, `"`):
			stop = `"`
		case strings.HasSuffix(before, "'"):
			stop = "'"
		case strings.HasSuffix(before, "&quot;"):
			entity = "&quot;"
		case strings.HasSuffix(before, "&#39;"):
			entity = "&#39;"
		case strings.HasSuffix(before, "("):
			stop = ")"
		case strings.HasSuffix(before, "="):
			stop = " \t\r\n\f>,"
		case strings.HasSuffix(before, ","): // a later image of a srcset, quoted or not
			stop = " \t\r\n\f>,\"'"
		default:
			continue // within a word
		}
		end := strings.IndexAny(s, stop)
		if entity != "" {
			end = strings.Index(s, entity)
		}
		if end < 0 {
			continue
		}
		written := strings.TrimRight(s[:end], " \t\r\n")
		if id, ok := change(strings.TrimSpace(html.UnescapeString(written))); ok {
			b.WriteString(id)
			s = s[len(written):]
		}
	}
	return b.String() + s
}
