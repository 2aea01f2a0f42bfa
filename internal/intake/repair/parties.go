package repair

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// author applies the rules for From and Sender.
func (h *header) author() {
	if h.o.From != nil {
		h.keepFirst("from")
		h.keepFirst("sender")
		h.resender()
	}
	f := h.find("from")
	var boxes []member
	if f != nil {
		boxes = members(f.value())
	}
	if m, old := h.newAuthor(boxes); m != nil {
		h.replaceFrom(f, boxes, *m, old)
		return
	}
	if f != nil && h.o.From != nil && !slices.ContainsFunc(boxes, func(m member) bool { return !m.isMailbox() }) {
		h.writeChecked(f, boxes)
	}
	if h.o.FullName != "" && f != nil && len(boxes) == 1 && boxes[0].name == "" && boxes[0].text == "" {
		if address := boxes[0].address; !address.IsZero() {
			f.set(written(h.o.FullName, address))
		} else {
			f.set(phrase(h.o.FullName) + " <" + boxes[0].local + ">")
		}
		h.changes[FullName] = true
	}
	h.sender()
}

// newAuthor returns the mailbox that replaces From, nil if it stays, and the address that is replaced.
func (h *header) newAuthor(boxes []member) (author *message.Mailbox, old *member) {
	if h.o.From == nil {
		return nil, nil
	}
	checked := len(boxes) > 0
	for i := range boxes {
		if !boxes[i].isMailbox() {
			checked = false // a reader may see an address in it
			continue
		}
		if m := h.o.From(boxes[i].mailbox()); m != nil {
			return m, &boxes[i]
		}
	}
	if checked {
		return nil, nil
	}
	return h.o.From(nil), nil
}

// isMailbox reports whether the member is an address outside of a group.
func (m *member) isMailbox() bool { return !m.address.IsZero() && !m.inGroup }

func (m *member) mailbox() *message.Mailbox {
	return &message.Mailbox{Name: m.name, Address: m.address}
}

// keepFirst removes all but the first of a field, also from a signed message: readers differ in which
// one they show, and only one is checked.
func (h *header) keepFirst(lower string) {
	first := true
	if h.remove(func(f *field) bool {
		extra := f.lower == lower && !first
		first = first && f.lower != lower
		return extra
	}) {
		h.changes[Doubled] = true
	}
}

// writeChecked writes a From anew that other readers may divide otherwise: they would see addresses
// that were not checked.
func (h *header) writeChecked(f *field, boxes []member) {
	if value := f.value(); isBareAddress(value) || isReadAlike(value, boxes) {
		return
	}
	all := make([]string, len(boxes))
	for i, m := range boxes {
		all[i] = written(m.name, m.address)
	}
	f.set(strings.Join(all, ", "))
	h.changes[Addresses] = true
}

// resender replaces who has resent the message last, as author does for From.
func (h *header) resender() {
	block := resentBlock(h.fields) // shares its fields with h
	for i := range block {
		f := &block[i]
		if f.lower != "resent-from" && f.lower != "resent-sender" {
			continue
		}
		boxes := members(f.value())
		m, _ := h.newAuthor(boxes)
		if m == nil && f.lower == "resent-sender" && len(boxes) > 1 {
			m = h.o.From(nil)
		}
		if m == nil {
			continue
		}
		if name := h.authorName(boxes); name != "" {
			m = &message.Mailbox{Name: name, Address: m.Address}
		}
		f.set(written(m.Name, m.Address))
		h.changes[Resender] = true
	}
}

// replaceFrom writes the account's mailbox into From, and keeps the old one elsewhere.
func (h *header) replaceFrom(f *field, boxes []member, author message.Mailbox, old *member) {
	h.changes[From] = true
	if name := h.authorName(boxes); name != "" {
		author.Name = name
	}
	if len(boxes) > 0 {
		if old != nil && h.o.ReplyTo != nil && h.o.ReplyTo(old.address) && !h.has("reply-to") {
			h.below = append(h.below, folded("Reply-To", written(old.name, old.address)))
			h.changes[ReplyTo] = true
		} else if !h.has("x-original-from") {
			h.below = append(h.below, folded("X-Original-From", excerpt.Octets(f.value(), maxOriginal)))
		}
	}
	if h.remove(func(f *field) bool { return f.lower == "sender" }) {
		h.changes[Sender] = true
	}
	if f = h.find("from"); f != nil {
		f.set(written(author.Name, author.Address))
		return
	}
	h.top = append(h.top, folded("From", written(author.Name, author.Address)))
	h.addedDomain = author.Address.ASCIIDomain()
}

// maxOriginal is how much is kept of a replaced From, in octets: it fits into a line, which can't be
// folded everywhere.
const maxOriginal = 900

// authorName returns the name for a replaced From: that of the field, the one that was given, or the
// name of the local user.
func (h *header) authorName(boxes []member) string {
	for _, m := range boxes {
		if m.name != "" {
			return m.name
		}
	}
	if h.o.FullName != "" {
		return h.o.FullName
	}
	if len(boxes) > 0 {
		return boxes[0].local
	}
	return ""
}

// sender removes a Sender that the account may not use.
func (h *header) sender() {
	f := h.find("sender")
	if f == nil || h.o.From == nil {
		return
	}
	value := f.value()
	if boxes := members(value); len(boxes) == 1 && boxes[0].isMailbox() && isReadAlike(value, boxes) && h.o.From(boxes[0].mailbox()) == nil {
		return
	}
	h.remove(func(f *field) bool { return f.lower == "sender" })
	h.changes[Sender] = true
}

// completeLocal gives names without a domain their address.
func (h *header) completeLocal() {
	if h.o.Local == nil {
		return
	}
	for i := range h.fields {
		f := &h.fields[i]
		if !isAddressField(f.lower) || f.lower == "from" || f.lower == "sender" {
			continue
		}
		value := f.value()
		text, changed := h.completedList(value)
		if !changed {
			continue
		}
		h.changes[Local] = true
		if strings.HasSuffix(f.lower, "reply-to") && !hasAddress(members(text)) {
			f.lines = nil // answers go to From
			continue
		}
		f.set(text)
	}
	h.remove(func(f *field) bool { return f.lines == nil })
}

// completedList returns a list with its names without a domain completed.
func (h *header) completedList(value string) (list string, changed bool) {
	var b []byte
	from := 0
	all := members(value)
	for i, m := range all {
		text, ok := h.completed(m)
		if !ok {
			continue
		}
		changed = true
		b = append(append(b, value[from:m.start]...), text...)
		from = m.end
		switch {
		case text != "":
		case i+1 < len(all) && all[i+1].inGroup:
			from = all[i+1].start
		default: // the last of its group
			b = bytes.TrimRight(b, ", \t")
		}
	}
	return string(append(b, value[from:]...)), changed
}

func hasAddress(list []member) bool {
	for _, m := range list {
		if !m.address.IsZero() {
			return true
		}
	}
	return false
}

// completed returns the text for a mailbox without a domain that mail can use; ok is false if it has one.
func (h *header) completed(m member) (text string, ok bool) {
	local := m.local
	if !m.address.IsZero() {
		if h.o.IsLocal == nil || !h.o.IsLocal(m.address.Domain()) {
			return "", false
		}
		local = m.address.Local()
	}
	name := cmp.Or(m.name, local, m.text)
	if local != "" {
		if address, found := h.o.Local(local); found {
			return written(name, address), true
		}
	}
	if m.inGroup {
		return "", true
	}
	return phrase(name) + ":;", true
}

// phrase returns a name as a phrase (RFC 5322 section 3.2.5), quoted unless it is an atom.
func phrase(name string) string {
	if isLocalName(name) && !strings.Contains(name, ".") {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// Recipient is a recipient that the header names: an address, or text without a domain.
type Recipient struct {
	Address smtp.Address
	Name    string // a local name as written, or text that is no address; "" if Address is set
}

// String returns the address or the name.
func (r Recipient) String() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Address.String()
}

// recipients returns the recipients of a header, each once.
func recipients(fields []field) []Recipient {
	prefix := ""
	block := resentBlock(fields)
	for _, f := range block {
		if f.lower == "resent-to" || f.lower == "resent-cc" || f.lower == "resent-bcc" {
			fields, prefix = block, "resent-"
		}
	}
	var list []Recipient
	seen := map[string]bool{}
	for _, name := range []string{"to", "cc", "bcc"} {
		for i := range fields {
			if fields[i].lower != prefix+name {
				continue
			}
			for _, m := range members(fields[i].value()) {
				r := Recipient{Address: m.address}
				key := m.address.Wire()
				if m.address.IsZero() {
					r.Name = m.String()
					key = strings.ToLower(r.Name)
				}
				if !seen[key] {
					seen[key] = true
					list = append(list, r)
				}
			}
		}
	}
	return list
}

// resentBlock returns the first block of Resent fields, that of the last resending: each is above the
// older ones (RFC 5322 section 3.6.6).
func resentBlock(fields []field) []field {
	start := 0
	for start < len(fields) && !strings.HasPrefix(fields[start].lower, "resent-") {
		start++
	}
	end, seen := start, map[string]bool{}
	for end < len(fields) && strings.HasPrefix(fields[end].lower, "resent-") && !seen[fields[end].lower] {
		seen[fields[end].lower] = true
		end++
	}
	return fields[start:end]
}
