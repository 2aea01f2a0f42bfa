package message

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/sentence"
)

// boundaryStart is how every boundary line begins. A quoted-printable or base64
// part can't hold "=_", and a text that holds it at the start of a line is never
// sent as it is, so none of them can hold a boundary. Binary data is not looked
// at: that it holds the 130 random bits which follow is as good as impossible,
// and nobody can aim for it who has not seen the message.
const boundaryStart = "--=_"

func newBoundary() string { return strings.TrimPrefix(boundaryStart, "--") + rand.Text() }

// entity is a node of the MIME tree: a multipart with children, or a leaf with
// text or with a source.
type entity struct {
	header   []byte // Content-* fields, less the transfer encoding; of a text nil
	boundary string
	children []*entity

	subtype  string // of a text
	text     string // with CRLF line ends
	transfer transfer

	source *source // nil for a text
}

func newMultipart(subtype string, children ...*entity) *entity {
	e := &entity{boundary: newBoundary(), children: children}
	params := [][]string{{`boundary="` + e.boundary + `"`}}
	if subtype == "related" { // RFC 2387 section 3.1
		params = append([][]string{{`type="text/html"`}}, params...)
	}
	var f folder
	f.parameterized("Content-Type", "multipart/"+subtype, params)
	e.header = f.buf
	return e
}

func textEntity(subtype, text string) *entity {
	e := &entity{subtype: subtype}
	e.text, e.transfer = prepareText(text)
	return e
}

// encodingIn is the transfer encoding in a form of the message. A multipart has
// none of its own, but is labelled by what it holds: 7bit, 8bit or binary
// (RFC 2045 section 6.4).
func (e *entity) encodingIn(f form) encoding {
	switch {
	case e.source != nil && f == binaryForm:
		return binaryEncoding
	case e.source != nil:
		return base64Encoding
	case e.children == nil && f == sevenBitForm:
		return e.transfer.seven
	case e.children == nil:
		return e.transfer.eight
	}
	widest := sevenBit
	for _, child := range e.children {
		switch child.encodingIn(f) {
		case binaryEncoding:
			return binaryEncoding
		case eightBit:
			widest = eightBit
		}
	}
	return widest
}

// room is about what layout will append of this entity, if it is a text that is
// not too long to be copied.
func (e *entity) room() int {
	const header = 128
	switch {
	case e.transfer.seven == base64Encoding && len(e.text) <= outputBlock:
		return header + int(base64Size(int64(len(e.text))))
	case e.transfer.seven != sevenBit || len(e.text) > worthCopying:
		return header
	}
	return header + len(e.text)
}

// parseBody builds the tree and opens the attachments:
// mixed(alternative(text, related(html, inline…)), attachment…), less whatever
// would have a single child.
func (d *draft) parseBody() error {
	m := d.message
	if !utf8.ValidString(m.Text) {
		return sentence.New("text: is not UTF-8")
	}
	if !utf8.ValidString(m.HTML) {
		return sentence.New("html: is not UTF-8")
	}
	inline, attached, err := d.parseAttachments()
	if err != nil {
		return err
	}
	if m.HTML != "" {
		d.body = textEntity("html", m.HTML)
		if len(inline) > 0 {
			d.body = newMultipart("related", append([]*entity{d.body}, inline...)...)
		}
	} else {
		attached = append(inline, attached...) // nothing to be inline in
	}
	if text := m.Text; text != "" || d.body == nil && len(attached) == 0 {
		plain := textEntity("plain", text)
		if d.body != nil {
			plain = newMultipart("alternative", plain, d.body)
		}
		d.body = plain
	}
	if len(attached) > 0 {
		if d.body != nil {
			attached = append([]*entity{d.body}, attached...)
		}
		d.body = newMultipart("mixed", attached...)
	}
	return nil
}

func (d *draft) parseAttachments() (inline, attached []*entity, err error) {
	if len(d.message.Attachments) == 0 {
		return nil, nil, nil
	}
	seen := map[string]int{}
	for i, a := range d.message.Attachments {
		name := a.fileName()
		label := fmt.Sprintf("attachments[%d] %q", i, clip(name))
		e, id, err := d.attachment(label, name, a)
		if err != nil {
			return nil, nil, err
		}
		if first, twice := seen[id]; twice && id != "" {
			return nil, nil, sentence.Errorf("%s: content id %q is that of attachments[%d] too", label, id, first)
		}
		seen[id] = i
		if a.Inline {
			inline = append(inline, e)
		} else {
			attached = append(attached, e)
		}
	}
	return inline, attached, nil
}

func (a Attachment) fileName() string {
	if a.Name == "" && a.Path != "" {
		return filepath.Base(a.Path)
	}
	return a.Name
}

// attachment checks one attachment and opens it; its errors begin with label.
func (d *draft) attachment(label, name string, a Attachment) (*entity, string, error) {
	fail := func(err error) (*entity, string, error) { return nil, "", sentence.Errorf("%s: %w", label, err) }
	if err := checkSources(a); err != nil {
		return fail(err)
	}
	id, err := contentID(a, name)
	if err != nil {
		return fail(sentence.Errorf("content id %q: %w", clip(a.ContentID), err))
	}
	if err := checkFileName(name); err != nil && (name != "" || id == "") {
		return fail(sentence.Errorf("its name %w", err))
	}
	kind := mediaTypeByName(name)
	if a.ContentType != "" {
		if kind, err = parseMediaType(a.ContentType); err != nil {
			return fail(sentence.Errorf("content type %w", err))
		}
	}
	src, err := openAttachment(label, a)
	if err != nil {
		return nil, "", err
	}
	d.sources.list = append(d.sources.list, src)
	if err := d.composer.encode(src); err != nil {
		return nil, "", err
	}

	var f folder
	kind.field(&f, name)
	disposition := "attachment"
	if a.Inline {
		disposition = "inline"
	}
	var params [][]string
	if name != "" {
		params = fileNameParameters(name)
	}
	f.parameterized("Content-Disposition", disposition, params)
	if id != "" {
		f.buf = append(f.buf, "Content-ID: <"+id+">\r\n"...)
	}
	return &entity{header: f.buf, source: src}, id, nil
}

func checkSources(a Attachment) error {
	given := 0
	for _, has := range []bool{a.Path != "", a.Data != nil, a.Reader != nil} {
		if has {
			given++
		}
	}
	switch {
	case given == 0:
		return sentence.New("none of Path, Data and Reader is given")
	case given > 1:
		return sentence.New("only one of Path, Data and Reader may be given")
	}
	return nil
}

func openAttachment(label string, a Attachment) (*source, error) {
	switch {
	case a.Path != "":
		return fileSource(label, a.Path)
	case a.Reader != nil:
		return readerSource(label, a.Reader)
	}
	return dataSource(label, a.Data), nil
}

// contentID is what goes into Content-ID; "" for none.
func contentID(a Attachment, name string) (string, error) {
	if a.ContentID != "" {
		return bareID(a.ContentID)
	}
	if !a.Inline {
		return "", nil
	}
	id, err := bareID(name)
	if err != nil {
		return "", sentence.New("an inline attachment needs one, as its name can't serve")
	}
	return id, nil
}

// checkFileName allows what every system can store: no folders, which a reader
// might follow, and nothing invisible.
func checkFileName(name string) error {
	const most = 255 * 3 // a file system's 255 characters, in Chinese
	if err := checkText(name, false); err != nil {
		return err
	}
	switch {
	case name == "" || name == "." || name == "..":
		return sentence.New("is missing")
	case strings.ContainsAny(name, `/\`):
		return sentence.New("holds a folder; only the last element can be sent")
	case len(name) > most:
		return sentence.Errorf("is longer than %d octets", most)
	}
	return nil
}

// layout turns a tree into segments; text gathers what lies between them.
type layout struct {
	form     form
	segments []segment
	size     int64
	text     []byte
}

func (l *layout) add(s segment) {
	l.segments = append(l.segments, s)
	l.size += s.size()
}

// flush makes a segment of text, which goes on behind it in the same array.
func (l *layout) flush() {
	if len(l.text) > 0 {
		l.add(literal(slices.Clip(l.text)))
	}
	l.text = l.text[len(l.text):]
}

// whole lays out the entity that is the message.
func (l *layout) whole(e *entity) {
	if open := l.entity(e); open && e.text != "" && !strings.HasSuffix(e.text, "\r\n") {
		l.text = append(l.text, '\r', '\n')
	}
	l.flush()
}

// entity lays out one entity. open says that its last octets are its own, so
// that the line end of the next boundary is still to be written.
func (l *layout) entity(e *entity) (open bool) {
	how := e.encodingIn(l.form)
	if e.children != nil {
		l.multipart(e, how)
		return false
	}
	if e.source == nil {
		l.text = append(append(append(l.text, "Content-Type: text/"...), e.subtype...), "; charset=utf-8\r\n"...)
	}
	l.text = append(l.text, e.header...)
	l.transferEncoding(how)
	l.text = append(l.text, '\r', '\n')
	var body segment
	switch {
	case how == binaryEncoding:
		body = binaryBody{e.source}
	case e.source != nil:
		body = base64Body{e.source}
	case how == quotedText:
		body = e.transfer.quoted
	case how == base64Encoding && len(e.text) <= outputBlock:
		l.text = appendBase64(l.text, []byte(e.text))
		return e.text == ""
	case how == base64Encoding:
		body = base64Text(e.text)
	case len(e.text) <= worthCopying:
		l.text = append(l.text, e.text...)
		return true
	default:
		body = plainText(e.text)
	}
	l.flush()
	l.add(body)
	return how != base64Encoding || body.size() == 0
}

func (l *layout) transferEncoding(how encoding) {
	l.text = append(append(append(l.text, "Content-Transfer-Encoding: "...), how...), '\r', '\n')
}

func (l *layout) multipart(e *entity, how encoding) {
	l.text = append(l.text, e.header...)
	if how != sevenBit { // the default
		l.transferEncoding(how)
	}
	l.text = append(l.text, '\r', '\n')
	for _, child := range e.children {
		l.text = append(l.text, "--"+e.boundary+"\r\n"...)
		if open := l.entity(child); open {
			l.text = append(l.text, '\r', '\n')
		}
	}
	l.text = append(l.text, "--"+e.boundary+"--\r\n"...)
}
