package message

import (
	"slices"
	"strings"
)

// segmentLayout turns a tree into segments; text collects the octets between them.
type segmentLayout struct {
	form     form
	segments []segment
	size     int64
	text     []byte
}

func (l *segmentLayout) addSegment(s segment) {
	l.segments = append(l.segments, s)
	l.size += s.size()
}

// flushText turns text into a segment; text continues in the same array.
func (l *segmentLayout) flushText() {
	if len(l.text) > 0 {
		l.addSegment(literal(slices.Clip(l.text)))
	}
	l.text = l.text[len(l.text):]
}

// layRoot lays out the root entity.
func (l *segmentLayout) layRoot(e *entity) {
	if open := l.layEntity(e); open && e.text != "" && !strings.HasSuffix(e.text, "\r\n") {
		l.text = append(l.text, '\r', '\n')
	}
	l.flushText()
}

// layEntity lays out one entity. open means that the line end before the next boundary is still to
// be written.
func (l *segmentLayout) layEntity(e *entity) (open bool) {
	how := e.encodingIn(l.form)
	if e.children != nil {
		l.layMultipart(e, how)
		return false
	}
	if e.source == nil {
		l.text = append(append(append(l.text, "Content-Type: text/"...), e.subtype...), "; charset=utf-8"...)
		l.text = append(append(l.text, e.params...), '\r', '\n')
	}
	if e.saved != nil && how == base64Encoding {
		l.text = append(l.text, e.encodedHeader...)
	} else {
		l.text = append(l.text, e.header...)
	}
	l.transferEncoding(how)
	l.text = append(l.text, '\r', '\n')
	var body segment
	switch {
	case e.saved != nil && how != base64Encoding:
		body = *e.saved
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
	l.flushText()
	l.addSegment(body)
	return how != base64Encoding || body.size() == 0
}

func (l *segmentLayout) transferEncoding(how encoding) {
	l.text = append(append(append(l.text, "Content-Transfer-Encoding: "...), how...), '\r', '\n')
}

func (l *segmentLayout) layMultipart(e *entity, how encoding) {
	l.text = append(l.text, e.header...)
	if how != sevenBit { // the default
		l.transferEncoding(how)
	}
	l.text = append(l.text, '\r', '\n')
	for _, child := range e.children {
		l.text = append(l.text, "--"+e.boundary+"\r\n"...)
		if open := l.layEntity(child); open {
			l.text = append(l.text, '\r', '\n')
		}
	}
	l.text = append(l.text, "--"+e.boundary+"--\r\n"...)
}
