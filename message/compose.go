package message

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Compose checks the whole message, opens its attachments and determines every octet. It writes
// nothing and uses no network. Errors name the field of the message: `to[2] "x y@z": …`. The
// Message may be used again, for other Contents too; its Data and Readers must stay as they are
// until this Content is closed.
//
// For many messages with the same attachments, see [Composer].
func Compose(m *Message) (*Content, error) { return composeBy(nil, m) }

// composeBy takes the time and encoded attachments from c, which may be nil.
func composeBy(c *Composer, m *Message) (*Content, error) {
	d := &draft{message: m, composer: c}
	err := d.parseAddresses()
	if err == nil {
		err = d.parseFields()
	}
	if err == nil {
		err = d.parseBody()
	}
	if err != nil {
		return nil, errors.Join(err, d.sources.closeAll())
	}
	d.writeHeader()
	if len(m.DKIM) > 0 {
		return d.signedContent()
	}
	if m.EightBit || d.savedEightBit {
		return d.contentIn(eightBitForm), nil
	}
	return d.contentIn(sevenBitForm), nil
}

// signedContent returns the message with its DKIM signatures.
func (d *draft) signedContent() (*Content, error) {
	content, err := d.contentIn(sevenBitForm).Sign(d.message.DKIM...)
	if err != nil {
		return nil, errors.Join(err, d.sources.closeAll())
	}
	return content, nil
}

// draft is a message during the checks, and later the source of its Contents.
type draft struct {
	message  *Message
	composer *Composer

	boxes                      []Mailbox // the following are parts of it, Bcc the last:
	from, replyTo, to, cc, bcc []Mailbox
	sender                     *Mailbox
	messageID                  string
	date                       time.Time

	header  []byte // all fields except those of the body
	body    *entity
	sources sources
	images  []image // inline attachments with generated content IDs

	savedEightBit bool // attach a saved message with octets above 127 as message/rfc822
}

func (d *draft) parseAddresses() error {
	m := d.message
	d.boxes = make([]Mailbox, 0, 1+len(m.ReplyTo)+len(m.To)+len(m.Cc)+len(m.Bcc))
	var err error
	if d.from, err = d.appendMailboxes(m.From); err != nil {
		return addressError("from", m.From, err)
	}
	if m.Sender != "" {
		sender, err := ParseMailbox(m.Sender)
		if err != nil {
			return localerr.Errorf("sender: %w", err)
		}
		d.sender = &sender
	}
	if len(d.from) > 1 && d.sender == nil {
		return localerr.Errorf("from: has %d addresses; set Sender to the one that submits the message", len(d.from))
	}
	for _, field := range [...]struct {
		name  string
		in    []string
		boxes *[]Mailbox
	}{
		{"replyTo", m.ReplyTo, &d.replyTo}, {"to", m.To, &d.to}, {"cc", m.Cc, &d.cc}, {"bcc", m.Bcc, &d.bcc},
	} {
		start := len(d.boxes)
		for i, s := range field.in {
			if _, err := d.appendMailboxes(s); err != nil {
				return addressError(fmt.Sprintf("%s[%d]", field.name, i), s, err)
			}
		}
		*field.boxes = d.boxes[start:]
	}
	return nil
}

// appendMailboxes parses one string of an address field and appends it to d.boxes.
func (d *draft) appendMailboxes(s string) ([]Mailbox, error) {
	start := len(d.boxes)
	boxes, err := appendMailboxes(d.boxes, s)
	if err == nil && len(boxes) == start {
		err = errNoAddress
	}
	if err != nil {
		return nil, err
	}
	d.boxes = boxes
	return boxes[start:], nil
}

func addressError(label, s string, err error) error {
	whole := fmt.Sprintf("%q", excerpt.Runes(s, maxQuoted))
	switch {
	case strings.TrimSpace(s) == "":
		return localerr.Errorf("%s: is empty", label)
	case strings.HasPrefix(err.Error(), whole):
		return localerr.Errorf("%s %w", label, err)
	}
	return localerr.Errorf("%s %s: %w", label, whole, err)
}

// parseFields checks the other header fields.
func (d *draft) parseFields() error {
	m := d.message
	if err := checkText(m.Subject, true); err != nil {
		return localerr.Errorf("subject: %w", err)
	}
	if m.MessageID != "" {
		id, err := wholeID(m.MessageID)
		if err != nil {
			return localerr.Errorf("messageID %q: %w", excerpt.Runes(m.MessageID, maxQuoted), err)
		}
		d.messageID = id
	}
	d.date = m.Date
	if d.date.IsZero() {
		d.date = d.composer.currentTime()
	}
	if y := d.date.Year(); y < 1900 || y > 9999 {
		return localerr.Errorf("date: the year %d is out of range; want 1900 to 9999", y)
	}
	for i, h := range m.Headers {
		err := checkExtra(h)
		if err == nil && onlyOnce(h.Name) && slices.ContainsFunc(m.Headers[:i], h.isNamesake) {
			err = localerr.New("may occur only once")
		}
		if err != nil {
			return localerr.Errorf("headers[%d] %q: %w", i, excerpt.Runes(h.Name, maxQuoted), err)
		}
	}
	return nil
}

func (h Header) isNamesake(other Header) bool { return strings.EqualFold(h.Name, other.Name) }

// onlyOnce reports whether a field may occur only once (RFC 5322 section 3.6); the other such
// fields can't be set here.
func onlyOnce(name string) bool {
	return strings.EqualFold(name, "References") || strings.EqualFold(name, "In-Reply-To")
}

// writeHeader writes the header into a buffer with room for the body, if the body is sent without
// encoding.
func (d *draft) writeHeader() {
	const usual, mailbox = 512, 64
	f := folder{buf: make([]byte, 0, usual+mailbox*len(d.boxes)+2*len(d.message.Subject)+d.body.textRoom())}
	f.buf = d.date.AppendFormat(append(f.buf, "Date: "...), time.RFC1123Z)
	f.endField()
	f.mailboxField("From", d.from)
	if d.sender != nil && (len(d.from) > 1 || !d.sender.Address.Equal(d.from[0].Address)) {
		f.mailboxField("Sender", []Mailbox{*d.sender})
	}
	f.mailboxField("Reply-To", d.replyTo)
	f.mailboxField("To", d.to)
	f.mailboxField("Cc", d.cc)
	if len(d.to)+len(d.cc) == 0 {
		// QUIRK: rspamd adds 5 points for "undisclosed-recipients:;", and none for the author.
		// The author gets no copy: the envelope decides that.
		f.mailboxField("To", []Mailbox{{Address: d.from[0].Address}})
	}
	// QUIRK: rspamd and SpamAssassin add twice as many points for a missing field as for an empty
	// one.
	f.subjectField(d.message.Subject)
	// Never folded, even after the colon: it is one word, and people and programs search raw
	// messages for it.
	f.buf = append(f.buf, "Message-ID: "...)
	if d.messageID == "" {
		d.messageID = NewMessageID(d.from[0].Address.ASCIIDomain())
	}
	f.buf = append(f.buf, d.messageID...)
	f.endField()
	for _, h := range d.message.Headers {
		f.extraField(h)
	}
	f.buf = append(f.buf, "MIME-Version: 1.0\r\n"...)
	d.header = f.buf
}

// NewMessageID returns a Message-ID of 130 random bits, in angle brackets. domain is usually the
// author's, in ASCII.
func NewMessageID(domain string) string {
	id := append(make([]byte, 0, 128), '<')
	for _, c := range []byte(rand.Text()) {
		id = append(id, c|0x20) // in lower case; digits stay
	}
	return string(append(append(append(id, '@'), domain...), '>'))
}

// CheckMessageID returns the error for which Compose would refuse id as [Message.MessageID].
func CheckMessageID(id string) error {
	_, err := wholeID(id)
	return err
}

// wholeID checks a Message-ID and adds missing angle brackets.
func wholeID(s string) (string, error) {
	id, err := bareID(s)
	if err != nil {
		return "", err
	}
	left, right, _ := strings.Cut(id, "@")
	if left == "" || right == "" || strings.Contains(right, "@") {
		return "", localerr.New("is not of the form id@domain")
	}
	return "<" + id + ">", nil
}

// bareID checks a Message-ID or Content-ID and removes its angle brackets.
func bareID(s string) (string, error) {
	const most = 250
	if err := checkText(s, false); err != nil {
		return "", err
	}
	id := s
	if inner, ok := strings.CutPrefix(s, "<"); ok {
		if id, ok = strings.CutSuffix(inner, ">"); !ok {
			return "", localerr.New("has no closing >")
		}
	}
	if id == "" || len(id) > most {
		return "", localerr.Errorf("is not 1 to %d characters long", most)
	}
	for _, r := range id {
		if r <= ' ' || r > '~' || strings.ContainsRune(`<>()\,;"`, r) {
			return "", localerr.Errorf("contains %q", r)
		}
	}
	return id, nil
}

// needsSMTPUTF8 reports whether the header contains UTF-8, which only a local part can cause. Bcc
// is not in the header.
func (d *draft) needsSMTPUTF8() bool {
	if d.sender != nil && d.sender.Address.NeedsSMTPUTF8() {
		return true
	}
	if hasUTF8Address(d.message.Headers) {
		return true
	}
	shown := d.boxes[:len(d.boxes)-len(d.bcc)]
	return slices.ContainsFunc(shown, func(m Mailbox) bool { return m.Address.NeedsSMTPUTF8() })
}

func (d *draft) envelopeParties() parties {
	p := parties{from: d.from[0].Address}
	if d.sender != nil {
		p.from = d.sender.Address
	}
	p.to = make([]smtp.Address, 0, len(d.to)+len(d.cc)+len(d.bcc))
	for _, list := range [...][]Mailbox{d.to, d.cc, d.bcc} {
		for _, m := range list {
			p.to = append(p.to, m.Address)
		}
	}
	return p
}

// contentIn lays the message out in one of its forms.
func (d *draft) contentIn(f form) *Content {
	l := segmentLayout{form: f, text: d.header}
	// The first layout appends to the header's buffer; later ones copy it.
	d.header = slices.Clip(d.header)
	l.layRoot(d.body)
	return &Content{
		segments:  l.segments,
		size:      l.size,
		form:      f,
		eightBit:  f == eightBitForm && d.body.encodingIn(f) == eightBit,
		messageID: d.messageID,
		utf8:      d.needsSMTPUTF8(),
		draft:     d,
		sources:   &d.sources,
	}
}
