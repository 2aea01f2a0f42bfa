package transport

import (
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtpclient"
)

// variant is the form of a message that suits a connection best, of those that
// package message can make: binary where the server takes it (RFC 3030), which
// spares a quarter of an attachment; 7-bit where it takes no more than that.
func variant(content smtpclient.Content, to *smtpclient.Conn) smtpclient.Content {
	eightBit := func() bool { return content.EightBit() && !to.Capabilities().Has("8BITMIME") }
	if other, ok := content.(recodable); ok {
		if eightBit() {
			if seven, ok := other.SevenBitForm(); ok {
				return seven
			}
		}
		return content
	}
	composed, ok := content.(forms)
	if made, isMade := content.(*message.Content); !ok || isMade && made == nil {
		return content
	}
	if to.TakesBinary() {
		if binary, ok := composed.Binary(); ok {
			return binary
		}
	}
	if eightBit() {
		if seven, ok := composed.SevenBit(); ok {
			return seven
		}
	}
	return content
}

// forms are those of a message.Content, and of what holds one.
type forms interface {
	Binary() (*message.Content, bool)
	SevenBit() (*message.Content, bool)
}

// recodable is a content that has to stay what it is in another form, since it does
// more than write a message.
type recodable interface {
	SevenBitForm() (smtpclient.Content, bool)
}
