package mbox

import (
	"bytes"
	"strconv"
	"strings"
)

// headerState collects the fields of a message's header that a Splitter needs.
type headerState struct {
	length  int64 // Content-Length; -1 if there is none, or two that differ
	lengths int
	mark    Mark
	begun   bool // a field was seen
	ended   bool // the empty line after the fields was seen

	internalSubject, serverWrote bool
}

// internalSubject is the subject of the message in which UW-IMAP and Alpine keep data of the
// folder.
const internalSubject = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"

func (h *headerState) field(line []byte) {
	name, value, ok := cutField(line)
	if !ok {
		return
	}
	h.begun = true
	v := string(bytes.TrimSpace(value))
	switch strings.ToLower(string(name)) {
	case "content-length":
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 || h.lengths > 0 && n != h.length {
			n = -1
		}
		h.length, h.lengths = n, h.lengths+1
	case "x-mozilla-status": // nsMsgMessageFlags of Thunderbird: Expunged
		h.bits(v, 0x0008)
	case "x-mozilla-status2": // IMAPDeleted
		h.bits(v, 0x0020_0000)
	case "x-evolution": // the UID and the flags of Camel: Deleted, Draft
		_, flags, _ := strings.Cut(strings.TrimSpace(strings.Split(v, ";")[0]), "-")
		switch bits, err := strconv.ParseUint(flags, 16, 64); {
		case err != nil:
		case bits&0x02 != 0:
			h.mark = Deleted
		case bits&0x04 != 0 && h.mark == Live:
			h.mark = Draft
		}
	case "status", "x-status":
		switch {
		case strings.Contains(v, "D"):
			h.mark = Deleted
		case strings.Contains(v, "T") && len(name) > len("status") && h.mark == Live:
			h.mark = Draft
		}
	case "subject":
		h.internalSubject = v == internalSubject
	case "x-imap":
		h.serverWrote = true
	case "from":
		h.serverWrote = h.serverWrote || strings.Contains(strings.ToUpper(v), "MAILER-DAEMON")
	}
}

func (h *headerState) bits(hex string, deleted uint64) {
	if bits, err := strconv.ParseUint(hex, 16, 64); err == nil && bits&deleted != 0 {
		h.mark = Deleted
	}
}

// finalMark returns the mark when the header has ended.
func (h *headerState) finalMark() Mark {
	if h.internalSubject && h.serverWrote {
		return Internal
	}
	return h.mark
}
