package message

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Compose checks the whole message, opens its attachments and determines every
// octet of it. It writes nothing and knows no network. Errors name the field as
// it stands in the message: `to[2] "x y@z": …`. The Message may be used again,
// for other Contents too; its Data and Readers must stay as they are until this
// Content is closed.
func Compose(m *Message) (*Content, error) { return composer{now: time.Now}.compose(m) }

// composer holds what Compose takes from outside of the message.
type composer struct{ now func() time.Time }

func (c composer) compose(m *Message) (*Content, error) {
	d := &draft{message: m, sources: &sources{}}
	steps := []func() error{d.parseAddresses, func() error { return d.parseFields(c.now) }, d.parseBody}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, errors.Join(err, d.sources.close())
		}
	}
	return d.content(m.EightBit), nil
}

// draft is a message being checked, and then what its Contents are made from.
type draft struct {
	message *Message

	from, replyTo, to, cc, bcc []Mailbox
	sender                     *Mailbox
	messageID                  string
	date                       time.Time

	header  []byte // all fields but those of the body
	body    *entity
	sources *sources
}

func (d *draft) parseAddresses() error {
	m := d.message
	var err error
	if d.from, err = mailboxField("from", m.From); err != nil {
		return err
	}
	if m.Sender != "" {
		sender, err := ParseMailbox(m.Sender)
		if err != nil {
			return fmt.Errorf("sender: %w", err)
		}
		d.sender = &sender
	}
	if len(d.from) > 1 && d.sender == nil {
		return fmt.Errorf("from: holds %d addresses; Sender has to say which of them submits the message", len(d.from))
	}
	for _, field := range []struct {
		name  string
		in    []string
		boxes *[]Mailbox
	}{
		{"replyTo", m.ReplyTo, &d.replyTo}, {"to", m.To, &d.to}, {"cc", m.Cc, &d.cc}, {"bcc", m.Bcc, &d.bcc},
	} {
		for i, s := range field.in {
			boxes, err := mailboxField(fmt.Sprintf("%s[%d]", field.name, i), s)
			if err != nil {
				return err
			}
			*field.boxes = append(*field.boxes, boxes...)
		}
	}
	return nil
}

func mailboxField(label, s string) ([]Mailbox, error) {
	if strings.TrimSpace(s) == "" {
		return nil, fmt.Errorf("%s: is empty", label)
	}
	boxes, err := ParseMailboxList(s)
	if err == nil {
		return boxes, nil
	}
	if whole := fmt.Sprintf("%q", clip(s)); !strings.HasPrefix(err.Error(), whole) {
		return nil, fmt.Errorf("%s %s: %w", label, whole, err)
	}
	return nil, fmt.Errorf("%s %w", label, err)
}

// parseFields checks the other header fields and writes the header.
func (d *draft) parseFields(now func() time.Time) error {
	m := d.message
	if err := checkText(m.Subject, true); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	var err error
	if d.messageID, err = d.chooseMessageID(); err != nil {
		return fmt.Errorf("messageID %q: %w", clip(m.MessageID), err)
	}
	d.date = m.Date
	if d.date.IsZero() {
		d.date = now()
	}
	if y := d.date.Year(); y < 1900 || y > 9999 {
		return fmt.Errorf("date: the year %d can't be written; it is 1900 to 9999", y)
	}
	once := map[string]bool{"references": false, "in-reply-to": false} // RFC 5322 section 3.6
	for i, h := range m.Headers {
		lower := strings.ToLower(h.Name)
		seen, limited := once[lower]
		err := checkExtra(h)
		if err == nil && seen {
			err = errors.New("may be there only once")
		}
		if err != nil {
			return fmt.Errorf("headers[%d] %q: %w", i, clip(h.Name), err)
		}
		if limited {
			once[lower] = true
		}
	}
	d.writeHeader()
	return nil
}

func (d *draft) writeHeader() {
	var f folder
	f.begin("Date")
	f.word(" ", d.date.Format(time.RFC1123Z))
	f.end()
	f.mailboxes("From", d.from)
	if d.sender != nil && (len(d.from) > 1 || !d.sender.Address.Equal(d.from[0].Address)) {
		f.mailboxes("Sender", []Mailbox{*d.sender})
	}
	f.mailboxes("Reply-To", d.replyTo)
	f.mailboxes("To", d.to)
	f.mailboxes("Cc", d.cc)
	if len(d.to)+len(d.cc) == 0 {
		// RFC 822 demanded a recipient field, and there are filters that do.
		f.buf = append(f.buf, "To: undisclosed-recipients:;\r\n"...)
	}
	if strings.Trim(d.message.Subject, " \t") != "" {
		f.subject(d.message.Subject)
	}
	// Never folded, even after the colon: it is one word, and people and
	// programs search raw messages for it.
	f.buf = append(f.buf, "Message-ID: "+d.messageID+"\r\n"...)
	for _, h := range d.message.Headers {
		f.extra(h)
	}
	f.buf = append(f.buf, "MIME-Version: 1.0\r\n"...)
	d.header = f.buf
}

// chooseMessageID checks a given Message-ID or makes one of 128 random bits in
// the domain of the author.
func (d *draft) chooseMessageID() (string, error) {
	given := d.message.MessageID
	if given == "" {
		return "<" + strings.ToLower(rand.Text()) + "@" + d.from[0].Address.ASCIIDomain() + ">", nil
	}
	id, err := bareID(given)
	if err != nil {
		return "", err
	}
	left, right, _ := strings.Cut(id, "@")
	if left == "" || right == "" || strings.Contains(right, "@") {
		return "", errors.New("is not of the form id@domain")
	}
	return "<" + id + ">", nil
}

// bareID checks a Message-ID or Content-ID and takes off its angle brackets.
func bareID(s string) (string, error) {
	const most = 250
	if err := checkText(s, false); err != nil {
		return "", err
	}
	id := s
	if inner, ok := strings.CutPrefix(s, "<"); ok {
		if id, ok = strings.CutSuffix(inner, ">"); !ok {
			return "", errors.New("lacks its closing >")
		}
	}
	if id == "" || len(id) > most {
		return "", fmt.Errorf("is not 1 to %d characters long", most)
	}
	for _, r := range id {
		if r <= ' ' || r > '~' || strings.ContainsRune(`<>()\,;"`, r) {
			return "", fmt.Errorf("holds %q", r)
		}
	}
	return id, nil
}

// needsSMTPUTF8 reports whether the header holds UTF-8, which only a local part
// brings there. Bcc is not in the header.
func (d *draft) needsSMTPUTF8() bool {
	all := slices.Concat(d.from, d.replyTo, d.to, d.cc)
	if d.sender != nil {
		all = append(all, *d.sender)
	}
	return slices.ContainsFunc(all, func(m Mailbox) bool { return m.Address.NeedsSMTPUTF8() })
}

func (d *draft) parties() parties {
	p := parties{from: d.from[0].Address}
	if d.sender != nil {
		p.from = d.sender.Address
	}
	p.to = make([]smtp.Address, 0, len(d.to)+len(d.cc)+len(d.bcc))
	for _, m := range slices.Concat(d.to, d.cc, d.bcc) {
		p.to = append(p.to, m.Address)
	}
	return p
}

// content lays the message out, with 8bit where that is allowed and of use.
func (d *draft) content(allowEightBit bool) *Content {
	l := layout{eightBit: allowEightBit, text: slices.Clone(d.header)}
	l.whole(d.body)
	c := &Content{
		segments:  l.segments,
		size:      l.size,
		eightBit:  allowEightBit && d.body.isEightBit(),
		messageID: d.messageID,
		utf8:      d.needsSMTPUTF8(),
		envelope:  d.parties(),
		sources:   d.sources,
	}
	if c.eightBit {
		c.sevenBit = func() *Content { return d.content(false) }
	}
	return c
}
