package submission

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// header has the first field of each name, unfolded, the names in lower case.
type header map[string]string

// headerOf reads the header of a message that is known to have one, with CRLF
// line ends.
func headerOf(content smtpclient.Content) (header, error) {
	head := beginning{most: maxHeader}
	if _, err := content.WriteTo(&head); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	block, _, _ := bytes.Cut(head.octets, []byte("\r\n\r\n"))
	h, last := header{}, ""
	for line := range bytes.SplitSeq(block, []byte("\r\n")) {
		if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			if last != "" {
				h[last] += string(line)
			}
			continue
		}
		name, value, _ := strings.Cut(string(line), ":")
		last = strings.ToLower(strings.TrimRight(name, " \t"))
		if h.has(last) {
			last = "" // with what follows it
			continue
		}
		h[last] = value
	}
	return h, nil
}

func (h header) has(name string) bool {
	_, ok := h[name]
	return ok
}

// messageID is that of the message; "" where it has none of the form <id@domain>.
func (h header) messageID() string {
	id := strings.Trim(h["message-id"], " \t")
	if len(id) < 3 || len(id) > 255 || id[0] != '<' || id[len(id)-1] != '>' || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return id
}

// decoded is a field as people read it (RFC 2047); words in a charset that nobody
// knows stay as they are.
func (h header) decoded(name string) string {
	d := mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
		encoding, err := htmlindex.Get(charset)
		if err != nil {
			return nil, err
		}
		return encoding.NewDecoder().Reader(r), nil
	}}
	value := strings.TrimSpace(h[name])
	if decoded, err := d.DecodeHeader(value); err == nil {
		return decoded
	}
	return value
}

// domain is that of the author or, where nobody can tell, of who submits it.
func (h header) domain(e smtp.Envelope) string {
	if boxes, err := message.ParseMailboxList(h.decoded("from")); err == nil && len(boxes) > 0 {
		return boxes[0].Address.ASCIIDomain()
	}
	if domain := e.From().ASCIIDomain(); domain != "" {
		return domain
	}
	return "localhost"
}

// newMessageID has 130 random bits.
func newMessageID(domain string) string {
	return "<" + strings.ToLower(rand.Text()) + "@" + domain + ">"
}

// clipped is a subject for lists: one line, and not a long one.
func clipped(subject string) string {
	const most = 300 // octets
	subject = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(subject, "\ufffd"))
	if len(subject) <= most {
		return subject
	}
	end := most
	for !utf8.RuneStart(subject[end]) {
		end--
	}
	return subject[:end] + "…"
}

const maxHeader = 1<<20 + 64<<10 // that of message.OpenRaw, whose line ends do not count

var errEnough = errors.New("enough was read")

// beginning keeps the header of what is written to it, and then refuses the rest.
type beginning struct {
	octets []byte
	most   int
}

func (b *beginning) Write(p []byte) (int, error) {
	from := max(0, len(b.octets)-3)
	b.octets = append(b.octets, p...)
	if bytes.Contains(b.octets[from:], []byte("\r\n\r\n")) || len(b.octets) > b.most {
		return len(p), errEnough
	}
	return len(p), nil
}
