package transport

import (
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// variant is the form of a message that suits a connection best, of those that
// package message can make: binary where the server takes it (RFC 3030), which
// spares a quarter of an attachment; 7-bit where it takes no more than that.
func variant(content smtpclient.Content, caps smtp.Capabilities, noChunking bool) smtpclient.Content {
	composed, ok := content.(*message.Content)
	if !ok || composed == nil {
		return content
	}
	if caps.Has("BINARYMIME") && caps.Has("CHUNKING") && !noChunking {
		if binary, ok := composed.Binary(); ok {
			return binary
		}
	}
	if composed.EightBit() && !caps.Has("8BITMIME") {
		if seven, ok := composed.SevenBit(); ok {
			return seven
		}
	}
	return content
}
