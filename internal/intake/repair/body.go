package repair

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// facts are what one reading of the body finds.
type facts struct {
	octets  int64
	lone    int64 // LF without a CR before it
	found   class
	iso2022 bool // ESC, SO and SI switch between character sets
	long    bool // a line has more than 998 octets
	cr      bool // a CR without a LF after it
	line    int  // the length of the current line
	endsCR  bool // the last octet was a CR

	good, bad int64 // UTF-8 sequences, and octets that are part of none
	gb        gbState
}

// class says in what an octet is special; the classes are bits.
type class uint8

const (
	eightOctet   class = 1 << iota // above 127
	controlOctet                   // a NUL and other control characters, but tab, form feed and line ends
	shiftOctet                     // ESC, SO, SI
)

// classes returns the table of them, which is made at first use: most commands need none.
var classes = sync.OnceValue(func() *[256]class {
	var table [256]class
	for c := range table {
		switch {
		case c >= utf8.RuneSelf:
			table[c] = eightOctet
		case c == '\x1b', c == '\x0e', c == '\x0f':
			table[c] = shiftOctet
		case c < ' ' && c != '\t' && c != '\f' && c != '\n' && c != '\r', c == 0x7f:
			table[c] = controlOctet
		}
	}
	return &table
})

func (f *facts) isEight() bool { return f.found&eightOctet != 0 }

// hasControls reports whether there are control characters that are encoded.
func (f *facts) hasControls() bool {
	return f.found&controlOctet != 0 || f.found&shiftOctet != 0 && !f.iso2022
}

// isClean reports whether nothing in the body changes but its line ends.
func (f *facts) isClean() bool { return f.found == 0 && !f.long && !f.cr }

// gbState follows GB18030: one octet below 128, two, or four.
type gbState struct {
	wrong bool
	have  int // octets of the current character
}

func (g *gbState) add(c byte) {
	switch g.have {
	case 0:
		if c == 0x80 || c == 0xff {
			g.wrong = true
		} else if c > 0x80 {
			g.have = 1
		}
	case 1:
		switch {
		case c >= '0' && c <= '9':
			g.have = 2
		case c >= 0x40 && c <= 0xfe && c != 0x7f:
			g.have = 0
		default:
			g.wrong, g.have = true, 0
		}
	case 2:
		g.wrong = g.wrong || c < 0x81 || c == 0xff
		g.have = 3
	case 3:
		g.wrong = g.wrong || c < '0' || c > '9'
		g.have = 0
	}
}

// readBody reads the body once.
func readBody(src *reader, from int64) (facts, error) {
	size := src.size
	f := facts{octets: size - from}
	if src.memory != nil {
		block := src.memory[from:]
		if f.scanLines(block); f.isEight() {
			f.scanText(block, true)
		}
		f.cr = f.cr || f.endsCR
		return f, nil
	}
	buffer := make([]byte, min(size-from+1, blockSize))
	carry := 0 // octets kept from the block before
	for from < size {
		n, err := src.ReadAt(buffer[carry:min(int64(len(buffer)), int64(carry)+size-from)], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return f, err
		}
		if n == 0 {
			return f, io.ErrUnexpectedEOF
		}
		from += int64(n)
		block := buffer[:carry+n]
		f.scanLines(block[carry:])
		used := len(block)
		if f.isEight() {
			used = f.scanText(block, from == size)
		}
		carry = copy(buffer, block[used:])
	}
	f.cr = f.cr || f.endsCR
	return f, nil
}

// scanLines looks for octets that are special, bare CR and long lines.
func (f *facts) scanLines(block []byte) {
	var found class
	table := classes()
	for _, c := range block {
		found |= table[c]
	}
	f.found |= found
	if found&shiftOctet != 0 && !f.iso2022 {
		f.iso2022 = bytes.Contains(bytes.ToLower(block), []byte("iso-2022"))
	}
	for len(block) > 0 {
		line := block
		end := bytes.IndexByte(block, '\n')
		if end >= 0 {
			line = block[:end]
		}
		block = block[len(line)+min(end+1, 1):]
		if f.endsCR && (len(line) > 0 || end < 0) {
			f.cr, f.line = true, 0
		}
		hadCR := f.endsCR && len(line) == 0
		f.endsCR = false
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
			hadCR, f.endsCR = end >= 0, end < 0
		}
		f.measure(line)
		if end >= 0 {
			f.line, f.lone = 0, f.lone+1
			if hadCR {
				f.lone--
			}
		}
	}
}

// measure adds a piece of a line to its length.
func (f *facts) measure(piece []byte) {
	for at := bytes.IndexByte(piece, '\r'); at >= 0; at = bytes.IndexByte(piece, '\r') {
		f.cr = true
		f.long = f.long || f.line+at > line998
		f.line, piece = 0, piece[at+1:]
	}
	f.line += len(piece)
	f.long = f.long || f.line > line998
}

// scanText counts UTF-8 sequences and follows GB18030. It returns how many octets it used: a sequence
// that the block cuts is left.
func (f *facts) scanText(block []byte, last bool) int {
	i := 0
	for i < len(block) {
		c := block[i]
		if c < utf8.RuneSelf {
			if f.gb.have > 0 {
				f.gb.add(c)
			}
			i++
			continue
		}
		if !last && !utf8.FullRune(block[i:]) {
			return i
		}
		r, n := utf8.DecodeRune(block[i:])
		if r == utf8.RuneError && n == 1 {
			f.bad++
		} else {
			f.good++
		}
		for _, c := range block[i : i+n] {
			f.gb.add(c)
		}
		i += n
	}
	if last && f.gb.have > 0 {
		f.gb.wrong = true
	}
	return i
}

// charset returns the label of the text. A few octets that are not UTF-8 do not make a long text
// another charset: programs cut their output anywhere.
func (f *facts) charset() string {
	switch {
	case f.bad*20 <= f.good:
		return "utf-8"
	case !f.gb.wrong:
		return "gb18030"
	}
	return "windows-1252"
}

// labels adds what is missing to read the body.
func (h *header) labels(f *facts) {
	kind := h.find("content-type")
	switch {
	case kind == nil:
		h.below = append(h.below, "Content-Type: text/plain; charset="+f.charset())
		h.changes[MIME] = true
		if f.isEight() && !h.has("content-transfer-encoding") {
			h.changes[Charset] = true
		}
	case f.isEight() && isIdentity(h.find("content-transfer-encoding")):
		if labelled, ok := withCharset(kind.value(), f.charset()); ok {
			kind.set(labelled)
			h.changes[Charset] = true
		}
	}
	if !h.has("mime-version") {
		h.below = append(h.below, "MIME-Version: 1.0")
		h.changes[MIME] = true
	}
}

func isIdentity(f *field) bool {
	if f == nil {
		return true
	}
	switch strings.ToLower(f.value()) {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

var ascii = regexp.MustCompile(`(?i);\s*charset\s*=\s*"?(us-)?ascii"?\s*`)

// withCharset adds the charset to the type of a text that has none, or that is not the ASCII it says.
func withCharset(value, charset string) (string, bool) {
	kind, params, err := mime.ParseMediaType(value)
	if err != nil || !strings.HasPrefix(kind, "text/") {
		return "", false
	}
	switch strings.ToLower(params["charset"]) {
	case "", "us-ascii", "ascii":
		return strings.TrimRight(ascii.ReplaceAllString(value, ""), "; \t") + "; charset=" + charset, true
	}
	return "", false
}
