package transport

import (
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtpclient"
)

// recodable is a content that package message can encode in other forms: a
// *message.Content, or a type that embeds one.
type recodable interface {
	// Binary returns the form with binary parts; ok is false if it is not shorter.
	Binary() (form *message.Content, ok bool)
	// SevenBit returns the form in 7 bits; ok is false if there is none.
	SevenBit() (form *message.Content, ok bool)
}

// wrapped is a content that does more than write a message, and so creates the wrapped 7-bit form
// itself.
type wrapped interface {
	SevenBitForm() (form smtpclient.Content, ok bool)
}

// contentFor returns the form of a message that suits a connection best: binary if the
// server accepts it (RFC 3030), which saves a quarter of an attachment; 7-bit if the
// message needs 8BITMIME and the server lacks it; else the content itself.
func contentFor(conn *smtpclient.Conn, content smtpclient.Content) smtpclient.Content {
	if made, ok := content.(*message.Content); ok && made == nil {
		return content // smtpclient reports it
	}
	var form smtpclient.Content
	var ok bool
	forms, isRecodable := content.(recodable)
	outer, isWrapped := content.(wrapped)
	switch needsSeven := func() bool { return content.EightBit() && !conn.Capabilities().Has("8BITMIME") }; {
	case isWrapped:
		if needsSeven() {
			form, ok = outer.SevenBitForm()
		}
	case !isRecodable:
	case conn.TakesBinary():
		if form, ok = forms.Binary(); !ok && needsSeven() {
			form, ok = forms.SevenBit()
		}
	case needsSeven():
		form, ok = forms.SevenBit()
	}
	if ok {
		return form
	}
	return content
}
