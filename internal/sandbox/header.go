package sandbox

import (
	"bytes"
	"mime"
	"net/mail"
	"strings"
)

// messageHeader is the header of a message, parsed as strictly as a provider
// does.
type messageHeader struct {
	fields [][2]string // name in lower case, value unfolded
}

// readHeader reads the fields up to the first empty line.
func readHeader(data []byte) messageHeader {
	var h messageHeader
	for line := range bytes.SplitSeq(data, []byte("\r\n")) {
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(h.fields) > 0 {
				h.fields[len(h.fields)-1][1] += string(line)
			}
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok {
			break
		}
		h.fields = append(h.fields, [2]string{strings.ToLower(name), strings.TrimSpace(value)})
	}
	return h
}

func (h messageHeader) values(name string) []string {
	var found []string
	for _, f := range h.fields {
		if f[0] == name {
			found = append(found, f[1])
		}
	}
	return found
}

// fromAddress returns the address of the From header. ok is false if the field
// is missing, repeated, or not valid under RFC 5322 and RFC 2047.
func (h messageHeader) fromAddress() (address string, ok bool) {
	values := h.values("from")
	if len(values) != 1 {
		return "", false
	}
	value := values[0]
	for i := 0; i < len(value); i++ {
		if value[i] >= 0x80 {
			return "", false
		}
	}
	// QUIRK: QQ - requires a space before the angle bracket.
	if at := strings.LastIndexByte(value, '<'); at > 0 && value[at-1] != ' ' && value[at-1] != '\t' {
		return "", false
	}
	list, err := mail.ParseAddressList(value)
	if err != nil || len(list) != 1 {
		return "", false
	}
	return list[0].Address, true
}

// checkQQ is QQ's check of the From header.
//
// QUIRK: QQ - a header that is missing or not RFC 5322, or a name that is not
// encoded, gets the 550; an address other than the login's gets the 501 of MAIL
// ([SenderAtHeader]).
func checkQQ(h messageHeader, _ string, w words) string {
	if _, ok := h.fromAddress(); !ok {
		return w.badFrom
	}
	return ""
}

// checkNetEase is NetEase's content filter, as far as it is known: a message
// with little content is spam, and so is a From header that differs from the
// envelope.
//
// QUIRK: NetEase - DT:SPM for a message without To or From, or with the subject
// "test"; DT:SUM for a From header that differs from the envelope.
func checkNetEase(h messageHeader, from string, w words) string {
	if len(h.values("to")) == 0 || len(h.values("from")) == 0 {
		return w.badContent
	}
	for _, subject := range h.values("subject") {
		decoded, err := new(mime.WordDecoder).DecodeHeader(subject)
		if err == nil {
			subject = decoded
		}
		if strings.EqualFold(strings.TrimSpace(subject), "test") {
			return w.badContent
		}
	}
	list, err := mail.ParseAddressList(h.values("from")[0])
	if err != nil || len(list) == 0 || !strings.EqualFold(list[0].Address, from) {
		return w.badFrom
	}
	return ""
}
