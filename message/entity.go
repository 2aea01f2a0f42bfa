package message

import (
	"crypto/rand"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// boundaryStart begins every boundary line. A quoted-printable or base64 part can't contain "=_",
// and a text with it at the start of a line is always encoded, so neither can contain a boundary.
// Binary data is not searched: it is practically impossible that it contains the 130 random bits
// that follow, and an attacker who has not seen the message can't guess them.
const boundaryStart = "--=_"

func newBoundary() string { return strings.TrimPrefix(boundaryStart, "--") + rand.Text() }

// entity is a node of the MIME tree: a multipart with children, or a leaf with a text or a
// source.
type entity struct {
	header   []byte // Content-* fields without the transfer encoding; nil for a text
	boundary string
	children []*entity

	subtype  string // of a text
	text     string // with CRLF line ends
	transfer transfer
	eightBit bool   // Message.EightBit
	params   string // of a text, after its charset

	source *source // nil for a text
	// saved is a saved message, to be attached as message/rfc822, which its header names;
	// encodedHeader is for the form in which that is impossible.
	saved         *savedBody
	encodedHeader []byte
}

func newMultipart(subtype string, children ...*entity) *entity {
	e := &entity{boundary: newBoundary(), children: children}
	params := [][]string{{`boundary="` + e.boundary + `"`}}
	if subtype == "related" { // RFC 2387 section 3.1
		params = append([][]string{{`type="text/html"`}}, params...)
	}
	var f folder
	f.fieldWithParameters("Content-Type", "multipart/"+subtype, params)
	e.header = f.buf
	return e
}

func (d *draft) textEntity(subtype, params, text string) *entity {
	e := &entity{subtype: subtype, params: params, eightBit: d.message.EightBit}
	e.text, e.transfer = prepareText(text)
	return e
}

// encodingIn returns the transfer encoding in a form of the message. A multipart has none of its
// own, but is labelled by its contents: 7bit, 8bit or binary (RFC 2045 section 6.4).
func (e *entity) encodingIn(f form) encoding {
	switch {
	case e.saved != nil && !e.saved.eightBit:
		return sevenBit
	case e.saved != nil && f != sevenBitForm:
		return eightBit
	case e.source != nil && f == binaryForm:
		return binaryEncoding
	case e.source != nil:
		return base64Encoding
	case e.children == nil && (f == sevenBitForm || f == eightBitForm && !e.eightBit):
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

// textRoom returns about the number of octets that layout appends for this entity, if it is a text
// short enough to be copied.
func (e *entity) textRoom() int {
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
// mixed(alternative(text, amp…, related(html, inline…), alternatives…),
// attachment…), without levels that would have a single child.
func (d *draft) parseBody() error {
	m := d.message
	if !utf8.ValidString(m.Text) {
		return localerr.New("text: is not UTF-8")
	}
	if !utf8.ValidString(m.HTML) {
		return localerr.New("html: is not UTF-8")
	}
	if m.HTML == "" && len(m.Attachments)+len(m.Alternatives) == 0 {
		d.body = d.textEntity("plain", "", m.Text)
		return nil
	}
	inline, attached, err := d.parseAttachments()
	if err != nil {
		return err
	}
	if m.HTML == "" {
		inline, attached = nil, append(inline, attached...) // no HTML to show them in
	}
	if err := d.parseForms(inline); err != nil {
		return err
	}
	if len(attached) > 0 {
		if d.body != nil {
			attached = append([]*entity{d.body}, attached...)
		}
		d.body = newMultipart("mixed", attached...)
	}
	return nil
}

// parseForms returns the one form of the message, or an alternative of several.
func (d *draft) parseForms(inline []*entity) error {
	m := d.message
	if m.HTML == "" && len(m.Alternatives) == 0 {
		if m.Text != "" {
			d.body = d.textEntity("plain", "", m.Text)
		}
		return nil
	}
	before, after, err := d.parseAlternatives()
	if err != nil {
		return err
	}
	var forms []*entity
	if m.Text != "" {
		forms = append(forms, d.textEntity("plain", "", m.Text))
	}
	forms = append(forms, before...)
	if m.HTML != "" {
		html := d.textEntity("html", "", d.withContentIDs(m.HTML))
		if len(inline) > 0 {
			html = newMultipart("related", append([]*entity{html}, inline...)...)
		}
		forms = append(forms, html)
	}
	if forms = append(forms, after...); len(forms) == 1 {
		d.body = forms[0]
	} else {
		d.body = newMultipart("alternative", forms...)
	}
	return nil
}
