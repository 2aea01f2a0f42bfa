package transport

import (
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtpclient"
)

// variant is the form of a message that suits a connection best, of those that
// package message can make: binary where the server takes it (RFC 3030), which
// spares a quarter of an attachment; 7-bit where it takes no more than that.
func variant(content smtpclient.Content, to *smtpclient.Conn) smtpclient.Content {
	composed, ok := content.(*message.Content)
	if !ok || composed == nil {
		return content
	}
	if to.TakesBinary() {
		if binary, ok := composed.Binary(); ok {
			return binary
		}
	}
	if composed.EightBit() && !to.Capabilities().Has("8BITMIME") {
		if seven, ok := composed.SevenBit(); ok {
			return seven
		}
	}
	return content
}
