package message

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// rawFacts are the results of the first reading of a message.
type rawFacts struct {
	RawHeader
	eightBitHeader, eightBitBody bool
}

func (f *rawFacts) inspectLine(line []byte, inHeader bool) {
	ascii := true
	for _, c := range line {
		ascii = ascii && c < utf8.RuneSelf
	}
	if !inHeader {
		f.eightBitBody = f.eightBitBody || !ascii
		return
	}
	f.addLine(line)
	// Fields that are dropped need no SMTPUTF8.
	if !isDropped(f.fields[len(f.fields)-1].name) {
		f.eightBitHeader = f.eightBitHeader || !ascii
	}
}

// envelopeParties returns the addresses of the header. An error in the sender does not affect the
// recipients, nor the other way round.
func (f *rawFacts) envelopeParties() parties {
	var p parties
	fields, prefix := f.fields, ""
	if block := resentBlock(f.fields); len(block) > 0 {
		fields, prefix = block, "resent-"
	}
	p.from, p.fromErr = senderOf(fields, prefix+"sender", prefix+"from")
	if errors.Is(p.fromErr, ErrNoSender) && prefix != "" {
		p.fromErr = localerr.New("the message was resent, but its first block of Resent fields has no sender")
	}
	for _, name := range []string{"to", "cc", "bcc"} {
		boxes, err := mailboxesOf(fields, prefix+name)
		if err != nil {
			p.to, p.toErr = nil, err
			return p
		}
		for _, m := range boxes {
			p.to = append(p.to, m.Address)
		}
	}
	if len(p.to) == 0 && prefix != "" {
		p.toErr = localerr.New("the message was resent, but its first block of Resent fields has no recipient")
	}
	return p
}

// resentBlock returns the first block of Resent fields, which is that of the last resending. Each
// block is above the older ones (RFC 5322 section 3.6.6).
func resentBlock(fields []rawField) []rawField {
	isResent := func(f rawField) bool { return strings.HasPrefix(f.name, "resent-") }
	start := slices.IndexFunc(fields, isResent)
	if start < 0 {
		return nil
	}
	seen := map[string]bool{}
	end := start
	for end < len(fields) && isResent(fields[end]) && !seen[fields[end].name] {
		seen[fields[end].name] = true
		end++
	}
	return fields[start:end]
}

// senderOf returns the first mailbox of the first of these fields that exists.
func senderOf(fields []rawField, names ...string) (smtp.Address, error) {
	for _, name := range names {
		boxes, err := mailboxesOf(fields, name)
		if err != nil {
			return smtp.Address{}, err
		}
		if len(boxes) > 0 {
			return boxes[0].Address, nil
		}
	}
	return smtp.Address{}, ErrNoSender
}

func mailboxesOf(fields []rawField, name string) ([]Mailbox, error) {
	var all []Mailbox
	for _, h := range fields {
		if h.name != name {
			continue
		}
		groups, err := parseHeaderList(string(h.value))
		if err != nil {
			return nil, localerr.Errorf("header field %s: %w", name, err)
		}
		for _, g := range groups {
			all = append(all, g.boxes...)
		}
	}
	return all, nil
}
