package message

import (
	"io"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/dkim"
)

// Message is what a person writes. The zero value of every field except From
// is fine; nothing is checked before [Compose].
//
// Addresses are strings like "a@example.com" or "Name <a@example.com>"; each may
// hold a list (see [ParseMailboxList]).
type Message struct {
	// From is the author, usually one mailbox. Several authors need a Sender
	// (RFC 5322 section 3.6.2).
	From string
	// Sender is the mailbox that submits the message, where that is not the
	// author's. It is written only if it differs from From.
	Sender string

	ReplyTo []string
	To      []string
	Cc      []string
	// Bcc are recipients that nobody sees: they are in the envelope and
	// nowhere in the message.
	Bcc []string

	// Subject is one line; "" writes an empty Subject field.
	Subject string
	// Text and HTML are UTF-8 with any line ends. With both, readers show the
	// one they can (multipart/alternative). With neither, the body is empty.
	Text string
	HTML string
	// Alternatives are further forms of the same: an invitation that calendars
	// understand, AMP.
	Alternatives []Alternative

	Attachments []Attachment
	// Headers are further fields, written in order after those of this
	// struct. A field that this struct has a place for is refused.
	Headers []Header

	// MessageID is "id@domain", with or without angle brackets; "" makes a
	// random one in the domain of From.
	MessageID string
	// Date is when the author finished; zero means the time of Compose.
	Date time.Time
	// EightBit lets text go unencoded, for servers with 8BITMIME. It saves a
	// quarter at best, and never applies to attachments.
	EightBit bool
	// DKIM signs the message for each of these. It is read once more for that,
	// and sent in its 7-bit form; see [Content.Sign].
	DKIM []*dkim.Signer
}

// Header is one header field. Value is UTF-8 text without line breaks; it is
// folded where it has blanks. An ASCII value is otherwise left as it is, other
// characters become encoded words. Fields that are known to hold addresses,
// message ids or URIs (Mail-Followup-To, References, List-Unsubscribe and their
// like) are read as that and written as that field demands; a value that can't be
// is refused.
type Header struct{ Name, Value string }

// Attachment is a file that goes with a message. Exactly one of Path, Data and
// Reader says where its content comes from; Data that is not nil but empty is
// an empty file.
type Attachment struct {
	// Name is the file name that the recipient sees, without folders; ""
	// means the last element of Path. It may be "" for an inline attachment
	// that has a ContentID. It is written in Unicode's form NFC, and one that
	// consists of encoded words (RFC 2047) is decoded first.
	Name string
	// ContentType is a media type such as "application/pdf"; "" goes by the
	// extension of Name, from a table of this package, so that the result
	// does not depend on the machine, and else by the first octets. A text
	// gets the charset that it is found to be in; one in none of Unicode's is
	// sent as application/octet-stream, unless ContentType says its charset.
	ContentType string
	// ContentID is what HTML refers to as "cid:…"; angle brackets are
	// optional. "" means none or, for an inline attachment, an id of this
	// package's own making: the HTML refers to the attachment by its Name
	// ("cid:图 1.png", "cid:%E5%9B%BE%201.png"), and the reference is rewritten.
	ContentID string
	// Inline shows the attachment within the HTML (multipart/related)
	// rather than beside it.
	Inline bool

	// Path is a file. It stays open until the Content is closed; a pipe is
	// read to its end by Compose, like a Reader that can't seek.
	Path string
	// Data is the content itself; it must not change while in use.
	Data []byte
	// Reader is read from its present position to its end. One that can seek
	// is measured by Compose, read by every WriteTo and must not be used by
	// others meanwhile. Any other is read by Compose, into memory up to 1 MiB
	// and beyond that into a temporary file. It is not closed.
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

// Reader attaches what r yields under the given name.
func Reader(name string, r io.Reader) Attachment { return Attachment{Name: name, Reader: r} }
