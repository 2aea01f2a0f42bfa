package message

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// boundaryStart is how every boundary line begins. A quoted-printable or base64
// part can't hold "=_", and a text that holds it at the start of a line is never
// sent as it is, so no part can hold a boundary.
const boundaryStart = "--=_"

func newBoundary() string { return strings.TrimPrefix(boundaryStart, "--") + rand.Text() }

// entity is a node of the MIME tree: a multipart with children, or a leaf with
// text or with a source.
type entity struct {
	header   []byte // Content-* fields, less the transfer encoding
	boundary string
	children []*entity

	text     string  // with CRLF line ends
	source   *source // nil for text
	transfer transfer
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
	e := &entity{text: normalizeLineEnds(text)}
	e.header = []byte("Content-Type: text/" + subtype + "; charset=utf-8\r\n")
	e.transfer = chooseTransfer(e.text)
	return e
}

func (e *entity) isEightBit() bool {
	for _, child := range e.children {
		if child.isEightBit() {
			return true
		}
	}
	return e.transfer.eight == eightBit
}

// parseBody builds the tree and opens the attachments:
// mixed(alternative(text, related(html, inline…)), attachment…), less whatever
// would have a single child.
func (d *draft) parseBody() error {
	m := d.message
	for _, part := range []struct{ name, text string }{{"text", m.Text}, {"html", m.HTML}} {
		if !utf8.ValidString(part.text) {
			return fmt.Errorf("%s: is not UTF-8", part.name)
		}
	}
	inline, attached, err := d.parseAttachments()
	if err != nil {
		return err
	}
	var parts []*entity
	if m.HTML != "" {
		html := textEntity("html", m.HTML)
		if len(inline) > 0 {
			html = newMultipart("related", append([]*entity{html}, inline...)...)
		}
		parts = append(parts, html)
	} else {
		attached = append(inline, attached...) // nothing to be inline in
	}
	if m.Text != "" || m.HTML == "" && len(attached) == 0 {
		parts = append([]*entity{textEntity("plain", m.Text)}, parts...)
	}
	if len(parts) == 2 {
		parts = []*entity{newMultipart("alternative", parts...)}
	}
	if len(attached) > 0 {
		parts = []*entity{newMultipart("mixed", append(parts, attached...)...)}
	}
	d.body = parts[0]
	return nil
}

func (d *draft) parseAttachments() (inline, attached []*entity, err error) {
	seen := map[string]int{}
	for i, a := range d.message.Attachments {
		name := a.Name
		if name == "" && a.Path != "" {
			name = filepath.Base(a.Path)
		}
		label := fmt.Sprintf("attachments[%d] %q", i, clip(name))
		e, id, err := d.attachment(label, name, a)
		if err != nil {
			return nil, nil, err
		}
		if first, twice := seen[id]; twice && id != "" {
			return nil, nil, fmt.Errorf("%s: content id %q is that of attachments[%d] too", label, id, first)
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

// attachment checks one attachment and opens it; its errors begin with label.
func (d *draft) attachment(label, name string, a Attachment) (*entity, string, error) {
	fail := func(format string, args ...any) (*entity, string, error) {
		return nil, "", fmt.Errorf("%s: %w", label, fmt.Errorf(format, args...))
	}
	if err := checkSources(a); err != nil {
		return fail("%w", err)
	}
	id, err := contentID(a, name)
	if err != nil {
		return fail("content id %q: %w", clip(a.ContentID), err)
	}
	if err := checkFileName(name); err != nil && (name != "" || id == "") {
		return fail("its name %w", err)
	}
	kind := mediaTypeByName(name)
	if a.ContentType != "" {
		if kind, err = parseMediaType(a.ContentType); err != nil {
			return fail("content type %w", err)
		}
	}
	src, err := openAttachment(label, a)
	if err != nil {
		return nil, "", err
	}
	d.sources.list = append(d.sources.list, src)

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
	return &entity{header: f.buf, source: src, transfer: transfer{seven: base64Encoding, eight: base64Encoding}}, id, nil
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
		return errors.New("none of Path, Data and Reader is given")
	case given > 1:
		return errors.New("only one of Path, Data and Reader may be given")
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
		return "", errors.New("an inline attachment needs one, as its name can't serve")
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
		return errors.New("is missing")
	case strings.ContainsAny(name, `/\`):
		return errors.New("holds a folder; only the last element can be sent")
	case len(name) > most:
		return fmt.Errorf("is longer than %d octets", most)
	}
	return nil
}

// layout turns a tree into segments; text gathers what lies between them.
type layout struct {
	eightBit bool
	segments []segment
	size     int64
	text     []byte
}

func (l *layout) add(s segment) {
	l.segments = append(l.segments, s)
	l.size += s.size()
}

func (l *layout) flush() {
	if len(l.text) > 0 {
		l.add(literal(l.text))
	}
	l.text = l.text[:0]
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
	how := e.transfer.seven
	if l.eightBit {
		how = e.transfer.eight
	}
	l.text = append(l.text, e.header...)
	if e.children != nil {
		l.multipart(e)
		return false
	}
	l.text = append(l.text, "Content-Transfer-Encoding: "+string(how)+"\r\n\r\n"...)
	var body segment
	switch {
	case e.source != nil:
		body = base64Body{e.source}
	case how == base64Encoding:
		body = base64Body{textSource(e.text)}
	case how == quotedText:
		body = e.transfer.quoted
	default:
		l.text = append(l.text, e.text...)
		return true
	}
	l.flush()
	l.add(body)
	return how != base64Encoding || body.size() == 0
}

func (l *layout) multipart(e *entity) {
	if l.eightBit && e.isEightBit() { // RFC 2045 section 6.4
		l.text = append(l.text, "Content-Transfer-Encoding: "+string(eightBit)+"\r\n"...)
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
