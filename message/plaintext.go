package message

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// PlainText converts HTML to text, for mail programs that show no HTML: paragraphs separated by
// empty lines, lists, quotations and preformatted text as people type them, the address of a link
// after its text, the alternative text of a picture in brackets. Hidden elements are omitted.
// Lines are not wrapped.
func PlainText(page string) string {
	w := textWriter{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: a string has no other errors
			return w.finishText()
		case html.TextToken:
			if w.skipping == 0 {
				w.addText(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			w.startElement(z.Token())
		case html.EndTagToken:
			w.endElement(z.Token())
		}
	}
}

// textWriter writes text line by line.
type textWriter struct {
	out  strings.Builder
	line strings.Builder

	blank  bool // a blank is pending before the next word
	breaks int  // pending line ends before the next word: 2 make an empty line
	before string

	quotes int
	// outerQuotes is the lowest quotation depth since the last word: an empty line between a
	// quotation and other text belongs to neither.
	outerQuotes int
	pre         int
	lists       []int // for each enclosing list: the next number, 0 for bullets
	link        *link // the open one: they do not nest
	cells       int   // in the current row

	skipping int // depth within skipped
	skipped  atom.Atom
}

// link is an open <a>: its target and its text.
type link struct {
	href string
	text strings.Builder
}

func (w *textWriter) finishText() string {
	w.endLine()
	if w.out.Len() == 0 {
		return ""
	}
	return strings.TrimRight(w.out.String(), "\n") + "\n"
}

// addText appends text of the page.
func (w *textWriter) addText(s string) {
	if w.pre > 0 {
		w.addPreformatted(s)
		return
	}
	s = strings.ReplaceAll(s, "\u00a0", " ")
	for s != "" {
		rest := strings.TrimLeft(s, " \t\r\n\f")
		if len(rest) < len(s) {
			w.blank = true
		}
		end := strings.IndexAny(rest, " \t\r\n\f")
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			w.addWord(rest[:end])
		}
		s = rest[end:]
	}
}

func (w *textWriter) addPreformatted(s string) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.endLine()
			w.breaks = 0
			if line == "" {
				w.out.WriteString(strings.TrimRight(w.writeMargin(), " ") + "\n")
				continue
			}
		}
		if line != "" {
			w.blank = false
			w.addWord(line)
		}
	}
}

// addWord appends a word, after the pending blank or line ends.
func (w *textWriter) addWord(s string) {
	if w.breaks > 0 {
		w.endLine()
		if w.breaks > 1 && w.out.Len() > 0 {
			w.out.WriteString(strings.TrimRight(strings.Repeat("> ", w.outerQuotes), " ") + "\n")
		}
		w.breaks = 0
	}
	w.outerQuotes = w.quotes
	if w.line.Len() == 0 {
		w.line.WriteString(w.writeMargin())
		w.line.WriteString(w.before)
		w.before = ""
	} else if w.blank {
		w.line.WriteByte(' ')
	}
	if w.link != nil {
		if w.blank && w.link.text.Len() > 0 {
			w.link.text.WriteByte(' ')
		}
		w.link.text.WriteString(s)
	}
	w.line.WriteString(s)
	w.blank = false
}

func (w *textWriter) writeMargin() string {
	margin := strings.Repeat("> ", w.quotes)
	if n := len(w.lists); n > 0 {
		indent := 2 * n
		if w.before != "" {
			indent -= 2
		}
		margin += strings.Repeat(" ", max(indent, 0))
	}
	return margin
}

func (w *textWriter) endLine() {
	if w.line.Len() > 0 {
		w.out.WriteString(strings.TrimRight(w.line.String(), " ") + "\n")
		w.line.Reset()
	}
	w.blank = false
}

// requestBreaks requests line ends before the next word.
func (w *textWriter) requestBreaks(breaks int) {
	if breaks == 0 {
		return
	}
	w.breaks = max(w.breaks, breaks)
	w.blank = false
}

func (w *textWriter) startElement(t html.Token) {
	if w.skipping > 0 {
		if t.DataAtom == w.skipped && t.Type == html.StartTagToken {
			w.skipping++
		}
		return
	}
	if isHidden(t) {
		if t.Type == html.StartTagToken && !isVoid(t.DataAtom) {
			w.skipping, w.skipped = 1, t.DataAtom
		}
		return
	}
	switch t.DataAtom {
	case atom.Br:
		if w.line.Len() > 0 && w.breaks == 0 {
			w.requestBreaks(1)
		} else {
			w.requestBreaks(2)
		}
	case atom.Hr:
		w.requestBreaks(2)
		w.addWord("----")
		w.requestBreaks(2)
	case atom.Img:
		if alt := strings.Join(strings.Fields(attributeOf(t, "alt")), " "); alt != "" {
			w.addWord("[" + alt + "]")
		}
	case atom.A:
		w.closeLink()
		w.link = &link{href: attributeOf(t, "href")}
	case atom.Li:
		w.requestBreaks(1)
		w.before = w.itemBullet()
	case atom.Td, atom.Th:
		if w.cells++; w.cells > 1 && w.breaks == 0 && w.line.Len() > 0 {
			w.blank = true
			w.addWord("|")
			w.blank = true
		}
	case atom.Tr:
		w.requestBreaks(1)
		w.cells = 0
	default:
		w.requestBreaks(breaksAround(t.DataAtom, len(w.lists) > 0))
		w.changeMargin(t.DataAtom, 1)
	}
}

func (w *textWriter) endElement(t html.Token) {
	if w.skipping > 0 {
		if t.DataAtom == w.skipped {
			w.skipping--
		}
		return
	}
	switch t.DataAtom {
	case atom.A:
		w.closeLink()
	case atom.Li, atom.Tr:
		w.before = ""
		w.requestBreaks(1)
	default:
		w.changeMargin(t.DataAtom, -1)
		w.requestBreaks(breaksAround(t.DataAtom, len(w.lists) > 0))
	}
}

// closeLink writes the target of the open link.
func (w *textWriter) closeLink() {
	if w.link == nil {
		return
	}
	text := w.link.text.String()
	address, show := linkShown(w.link.href, text)
	w.link = nil
	if show {
		w.blank = text != ""
		w.addWord(address)
	}
}

// changeMargin enters or leaves an element that changes the margin of its lines.
func (w *textWriter) changeMargin(tag atom.Atom, by int) {
	switch tag {
	case atom.Blockquote:
		w.flushBefore()
		w.quotes = max(w.quotes+by, 0)
		w.outerQuotes = min(w.outerQuotes, w.quotes)
	case atom.Pre:
		w.pre = max(w.pre+by, 0)
	case atom.Ul, atom.Ol:
		w.flushBefore()
		switch {
		case by < 0 && len(w.lists) > 0:
			w.lists = w.lists[:len(w.lists)-1]
		case by > 0 && tag == atom.Ol:
			w.lists = append(w.lists, 1)
		case by > 0:
			w.lists = append(w.lists, 0)
		}
	}
}

// flushBefore ends a line before its margin changes.
func (w *textWriter) flushBefore() {
	w.endLine()
	w.before = ""
}

// itemBullet returns the prefix of an item of the innermost list.
func (w *textWriter) itemBullet() string {
	n := len(w.lists)
	if n == 0 || w.lists[n-1] == 0 {
		return "- "
	}
	w.lists[n-1]++
	return strconv.Itoa(w.lists[n-1]-1) + ". "
}

// linkShown returns the text after a link: none if the link's text is the same.
func linkShown(href, text string) (string, bool) {
	href = strings.TrimSpace(href)
	scheme, rest, found := strings.Cut(href, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case !found, scheme != "http" && scheme != "https" && scheme != "mailto" && scheme != "tel", strings.ContainsAny(href, " \t\r\n<>"):
		return "", false
	case text == href, strings.TrimSuffix(text, "/") == strings.TrimSuffix(strings.TrimLeft(rest, "/"), "/"):
		return "", false
	case scheme == "mailto" || scheme == "tel":
		return "<" + rest + ">", true
	}
	return "<" + href + ">", true
}

func attributeOf(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// isHidden reports elements that mail programs hide, and preheaders, which are shown only in the
// list of messages.
func isHidden(t html.Token) bool {
	switch t.DataAtom {
	case atom.Head, atom.Title, atom.Style, atom.Script, atom.Template, atom.Textarea, atom.Select, atom.Svg, atom.Object, atom.Iframe:
		return true
	}
	for _, a := range t.Attr {
		style := strings.ReplaceAll(strings.ToLower(a.Val), " ", "")
		if a.Key == "hidden" || a.Key == "style" && (strings.Contains(style, "display:none") || strings.Contains(style, "mso-hide:all")) {
			return true
		}
	}
	return false
}

// isVoid reports elements without an end tag.
func isVoid(tag atom.Atom) bool {
	switch tag {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// breaksAround returns the number of line ends around an element.
func breaksAround(tag atom.Atom, inList bool) int {
	switch tag {
	case atom.Ul, atom.Ol:
		if inList {
			return 1
		}
		return 2
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Pre, atom.Table, atom.Dl:
		return 2
	case atom.Div, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Nav, atom.Aside, atom.Center, atom.Address,
		atom.Form, atom.Fieldset, atom.Figure, atom.Figcaption, atom.Dt, atom.Dd, atom.Caption, atom.Body, atom.Html:
		return 1
	}
	return 0
}
