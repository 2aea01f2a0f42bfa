package message

import (
	"io"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/dkim"
)

// Message is a message to compose. Every field except From may be zero; [Compose] checks them.
//
// Addresses are strings like "a@example.com" or "Name <a@example.com>"; each may
// hold a list (see [ParseMailboxList]).
type Message struct {
	// From is the author, usually one mailbox. Several authors require a Sender (RFC 5322 section
	// 3.6.2).
	From string
	// Sender is the mailbox that submits the message, if it is not the author's. It is written
	// only if it differs from From.
	Sender string

	ReplyTo []string
	To      []string
	Cc      []string
	// Bcc are hidden recipients: they are in the envelope and nowhere in the message.
	Bcc []string

	// Subject is one line; "" writes an empty Subject field.
	Subject string
	// Text and HTML are UTF-8 with any line ends. If both are set, mail programs show one of them
	// (multipart/alternative). If neither is, the body is empty.
	Text string
	HTML string
	// Alternatives are further forms of the same text: an invitation for calendars, AMP.
	Alternatives []Alternative

	Attachments []Attachment
	// Headers are further fields, written in order after those of this struct. Fields for which
	// this struct has a place are refused.
	Headers []Header

	// MessageID is "id@domain", with or without angle brackets; "" generates a random one in the
	// domain of From.
	MessageID string
	// Date is when the author finished; zero means the time of Compose.
	Date time.Time
	// EightBit sends text unencoded, for servers with 8BITMIME. It saves a quarter at best, and
	// never applies to attachments.
	EightBit bool
	// DKIM are the signers of the message. Signing reads it once more, and the message is sent in
	// its 7-bit form; see [Content.Sign].
	DKIM []*dkim.Signer
}

// Header is one header field. Value is UTF-8 text without line breaks; it is folded at blanks.
// ASCII is otherwise unchanged, other characters become encoded words. Fields that contain
// addresses, message IDs or URIs (Mail-Followup-To, References, List-Unsubscribe and others) are
// parsed and written in their own syntax; an invalid value is refused.
type Header struct{ Name, Value string }

// Attachment is a file sent with a message. Exactly one of Path, Data and Reader supplies its
// content; Data that is empty but not nil is an empty file.
type Attachment struct {
	// Name is the file name that the recipient sees, without folders; "" means the last element
	// of Path. It may be "" for an inline attachment with a ContentID. It is written in Unicode's
	// form NFC, and a name of encoded words (RFC 2047) is decoded first.
	Name string
	// ContentType is a media type such as "application/pdf". If it is "", the extension of Name
	// decides, from a table of this package, so that the result does not depend on the machine,
	// and else the first octets. A text gets its detected charset; a text in no Unicode charset
	// is sent as application/octet-stream, unless ContentType names its charset.
	ContentType string
	// ContentID is the ID that HTML refers to as "cid:…"; angle brackets are optional. "" means
	// none or, for an inline attachment, a generated ID: the HTML refers to the attachment by its
	// Name ("cid:图 1.png", "cid:%E5%9B%BE%201.png"), and the reference is rewritten.
	ContentID string
	// Inline shows the attachment within the HTML (multipart/related) and not beside it.
	Inline bool

	// Path is a file. It stays open until the Content is closed; Compose reads a pipe to its end,
	// like a Reader that can't seek.
	Path string
	// Data is the content itself; it must not change while in use.
	Data []byte
	// Reader is read from its current position to its end. If it can seek, Compose measures it,
	// every WriteTo reads it, and it must not be used elsewhere meanwhile. Otherwise Compose
	// reads it, into memory up to 1 MiB and beyond that into a temporary file. It is not closed.
	Reader io.Reader
}

// File attaches the file at path under its own name.
func File(path string) Attachment { return Attachment{Name: filepath.Base(path), Path: path} }

// Bytes attaches data under the given name.
func Bytes(name string, data []byte) Attachment {
	if data == nil {
		data = []byte{}
	}
	return Attachment{Name: name, Data: data}
}

// Reader attaches the content of r under the given name.
func Reader(name string, r io.Reader) Attachment { return Attachment{Name: name, Reader: r} }
