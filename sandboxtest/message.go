package sandboxtest

import (
	"time"

	"github.com/yanmail/yan/internal/sandbox"
)

// Message is a message that the server took responsibility for.
type Message struct {
	Conn int    // the connection, counted from 1
	ID   string // the queue id of the server's reply
	Time time.Time
	// TLS reports whether it came over an encrypted connection.
	TLS   bool
	Login string // "" without AUTH
	// From is the reverse-path of MAIL, "" for "<>"; To are the accepted
	// recipients.
	From string
	To   []string
	// Repeated counts the RCPTs that repeat an address; the recipient still
	// gets the message once.
	Repeated int
	// MailParams are the parameters of MAIL, like SIZE, keys in upper case;
	// RcptParams those of each recipient in the order of To.
	MailParams map[string]string
	RcptParams []map[string]string
	Chunked    bool // it came with BDAT
	// Data is the message exactly as received, with CRLF line ends, dots
	// unstuffed.
	Data []byte
}

// Part is one leaf of a message's MIME tree.
type Part struct {
	ContentType string            // lower case, like "text/plain"
	Params      map[string]string // of Content-Type, like "charset"
	Disposition string            // "attachment", "inline" or ""
	FileName    string            // decoded; "" for none
	ContentID   string            // without its angle brackets
	// Body is decoded from its transfer encoding, but not from its charset.
	Body []byte
}

// Header returns the first field of that name, decoded from RFC 2047, or "".
func (m Message) Header(name string) string { return sandbox.Message(m).Header(name) }

// HeaderValues returns all fields of that name, decoded. A value that can't be
// decoded is returned as it is.
func (m Message) HeaderValues(name string) []string { return sandbox.Message(m).HeaderValues(name) }

// Text returns the first text/plain part that is not an attachment, in UTF-8
// and with its original line ends (CRLF), or "".
func (m Message) Text() string { return sandbox.Message(m).Text() }

// HTML returns the first text/html part that is not an attachment, in UTF-8.
func (m Message) HTML() string { return sandbox.Message(m).HTML() }

// Attachment returns the content of the part with a file name; ok is false if
// there is none.
func (m Message) Attachment(name string) (content []byte, ok bool) {
	return sandbox.Message(m).Attachment(name)
}

// Parts returns the leaves of the MIME tree in order. A message that is not
// MIME has one part.
func (m Message) Parts() ([]Part, error) {
	leaves, err := sandbox.Message(m).Parts()
	parts := make([]Part, len(leaves))
	for i, p := range leaves {
		parts[i] = Part(p)
	}
	return parts, err
}

func wrap(messages []sandbox.Message) []Message {
	list := make([]Message, len(messages))
	for i, m := range messages {
		list[i] = Message(m)
	}
	return list
}
