package repair

import (
	"io"
	"mime"
	"net/mail"
	"strings"
)

// rewriteLists writes lists of addresses anew that a strict reader refuses: with semicolons between
// the addresses, or names without the quotes that they need. A list in which something is no address
// stays.
func (h *header) rewriteLists() {
	for i := range h.fields {
		f := &h.fields[i]
		if !isAddressField(f.lower) {
			continue
		}
		value := f.value()
		if isBareAddress(value) || isStrictList(value) {
			continue
		}
		var all []string
		group := false
		for _, m := range members(value) {
			group = group || m.inGroup
			if m.address.IsZero() {
				group = true
				break
			}
			all = append(all, written(m.name, m.address))
		}
		if group || len(all) == 0 {
			continue
		}
		h.changes[Addresses] = true
		f.set(strings.Join(all, ", "))
	}
}

// isBareAddress reports whether a value is a common form, a@b or <a@b>, which needs no parser.
func isBareAddress(s string) bool {
	if len(s) > 2 && s[0] == '<' && s[len(s)-1] == '>' {
		s = s[1 : len(s)-1]
	}
	at := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '+':
		case c == '.' && i > 0 && s[i-1] != '.' && s[i-1] != '@':
		case c == '@' && i > 0 && s[i-1] != '.':
			at++
		default:
			return false
		}
	}
	return at == 1 && s[len(s)-1] != '.' && s[len(s)-1] != '@'
}

// isStrictList reports whether net/mail, which reads RFC 5322 strictly, takes a list.
func isStrictList(value string) bool {
	_, err := strictList(value)
	return err == nil
}

func strictList(value string) ([]*mail.Address, error) {
	p := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}}
	return p.ParseList(value)
}

// isReadAlike reports whether net/mail finds the same addresses in a list.
func isReadAlike(value string, boxes []member) bool {
	list, err := strictList(value)
	if err != nil || len(list) != len(boxes) {
		return false
	}
	for i, a := range list {
		local := boxes[i].address.Local()
		if strings.HasPrefix(local, `"`) {
			local = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(local[1 : len(local)-1])
		}
		if a.Address != local+"@"+boxes[i].address.Domain() {
			return false
		}
	}
	return true
}
