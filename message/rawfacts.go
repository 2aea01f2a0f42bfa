package message

import (
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/sentence"
)

// rawField is a header field, unfolded, its name in lower case.
type rawField struct {
	name  string
	value []byte
}

// rawFacts is what the first reading learns.
type rawFacts struct {
	fields                       []rawField
	eightBitHeader, eightBitBody bool
}

func (f *rawFacts) line(line []byte, inHeader bool) {
	ascii := true
	for _, c := range line {
		ascii = ascii && c < utf8.RuneSelf
	}
	if !inHeader {
		f.eightBitBody = f.eightBitBody || !ascii
		return
	}
	if name, value, ok := cutField(line); ok && line[0] != ' ' && line[0] != '\t' {
		f.fields = append(f.fields, rawField{name, []byte(value)})
	} else {
		last := &f.fields[len(f.fields)-1]
		last.value = append(last.value, line...)
	}
	// What is not sent needs no SMTPUTF8.
	if !isDropped(f.fields[len(f.fields)-1].name) {
		f.eightBitHeader = f.eightBitHeader || !ascii
	}
}

// messageID is that of the first such field, "" if it is none or malformed.
func (f *rawFacts) messageID() string {
	for _, h := range f.fields {
		if h.name != "message-id" {
			continue
		}
		if id, err := bareID(strings.Trim(string(h.value), " \t")); err == nil {
			return "<" + id + ">"
		}
		break
	}
	return ""
}

// parties are the addresses of the header; what is wrong with them matters
// only to who asks for the envelope.
func (f *rawFacts) parties() parties {
	var p parties
	for _, name := range []string{"sender", "from"} {
		boxes, err := f.mailboxes(name)
		if err != nil {
			return parties{err: err}
		}
		if len(boxes) > 0 {
			p.from = boxes[0].Address
			break
		}
	}
	if p.from.IsZero() {
		return parties{err: sentence.New("the message has neither From nor Sender")}
	}
	for _, name := range []string{"to", "cc", "bcc"} {
		boxes, err := f.mailboxes(name)
		if err != nil {
			return parties{err: err}
		}
		for _, m := range boxes {
			p.to = append(p.to, m.Address)
		}
	}
	return p
}

func (f *rawFacts) mailboxes(name string) ([]Mailbox, error) {
	var all []Mailbox
	for _, h := range f.fields {
		if h.name != name {
			continue
		}
		boxes, err := appendMailboxes(nil, strings.ReplaceAll(string(h.value), "\t", " "), inHeader)
		if err != nil {
			return nil, sentence.Errorf("header field %s: %w", name, err)
		}
		all = append(all, boxes...)
	}
	return all, nil
}
