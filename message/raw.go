package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/sentence"
)

// maxRawHeader bounds the header block of a raw message, in octets. Ten
// thousand recipients fit; a file that is no message is found out early.
const maxRawHeader = 1 << 20

// OpenRaw makes a Content of the message in a file, to be sent as it is except
// that
//
//   - bare CR and bare LF become CRLF, and the last line ends with one,
//   - the fields Bcc and Resent-Bcc are left out, and lines of nothing but blanks
//     in the header,
//   - a byte order mark and an mbox "From " line before the header are left out.
//
// Refused, with the number of the line: a line of more than 998 octets, a NUL,
// a line of the header that is no field, a header in neither ASCII nor UTF-8,
// and a header of more than 1 MiB. Missing fields are not added.
//
// The envelope is taken from Sender or else From, and from To, Cc and Bcc;
// Resent fields are not looked at. EightBit and NeedsSMTPUTF8 go by the octets
// of body and header. The file stays open until Close.
func OpenRaw(path string) (*Content, error) {
	src, err := fileSource(fmt.Sprintf("raw message %q", path), path)
	if err != nil {
		return nil, err
	}
	return newRaw(src)
}

// ReadRaw is [OpenRaw] for a reader, which is treated as that of an
// [Attachment].
func ReadRaw(r io.Reader) (*Content, error) {
	src, err := readerSource("raw message", r)
	if err != nil {
		return nil, err
	}
	return newRaw(src)
}

func newRaw(src *source) (*Content, error) {
	body := &rawBody{src: src}
	var facts rawFacts
	err := body.lines(facts.line, func(line []byte) error {
		body.octets += int64(len(line)) + 2
		return nil
	})
	if err == nil && !slices.ContainsFunc(facts.fields, func(f rawField) bool { return !isBcc(f.name) }) {
		err = src.fail(sentence.New("it has no header"))
	}
	if err != nil {
		return nil, errors.Join(err, src.close())
	}
	return &Content{
		segments:  []segment{body},
		size:      body.octets,
		eightBit:  facts.eightBitBody,
		utf8:      facts.eightBitHeader,
		messageID: facts.messageID(),
		parties:   facts.parties(),
		sources:   &sources{list: []*source{src}},
	}, nil
}

// rawBody is a segment: a whole message, made fit to be sent.
type rawBody struct {
	src    *source
	octets int64
}

func (r *rawBody) size() int64 { return r.octets }

func (r *rawBody) emit(o *output) error {
	return r.lines(nil, func(line []byte) error {
		if err := o.reserve(len(line) + 2); err != nil {
			return err
		}
		o.buf = append(append(o.buf, line...), '\r', '\n')
		return nil
	})
}

// lines reads the message and calls keep with each line to be sent, without
// its line end. see, if not nil, is called with every line before it, those
// left out included. What is measured and what is sent come from here alike.
func (r *rawBody) lines(see func(line []byte, inHeader bool), keep func(line []byte) error) error {
	reader, err := r.src.open()
	if err != nil {
		return err
	}
	in := lineReader{src: reader}
	pass := rawPass{see: see, keep: keep}
	for number := 1; ; number++ {
		line, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err == nil && number == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			if isMboxLine(line) {
				continue
			}
		}
		if err == nil {
			err = pass.line(line)
		}
		if bad, ok := err.(lineError); ok {
			return r.src.fail(sentence.Errorf("line %d %w", number, bad))
		}
		if err != nil {
			return err
		}
	}
}

// isMboxLine tells the first line of an mbox file from "From : a@b", which is
// an obsolete but good header field.
func isMboxLine(line []byte) bool {
	_, _, isField := cutField(line)
	return !isField && bytes.HasPrefix(line, []byte("From "))
}

// rawPass is one reading of a raw message.
type rawPass struct {
	header rawHeader
	see    func(line []byte, inHeader bool)
	keep   func(line []byte) error
}

func (p *rawPass) line(line []byte) error {
	drop, err := p.header.line(line)
	if err != nil {
		return err
	}
	if p.see != nil {
		p.see(line, !p.header.done)
	}
	if drop {
		return nil
	}
	return p.keep(line)
}

// rawHeader follows the header block and says which of its lines are not sent.
type rawHeader struct {
	done   bool
	octets int
	fields int
	drop   bool // the present field, with its continuations
}

func (h *rawHeader) line(line []byte) (drop bool, err error) {
	if bytes.IndexByte(line, 0) >= 0 {
		return false, lineError{sentence.New("holds a NUL, which mail can't carry")}
	}
	if h.done {
		return false, nil
	}
	if len(line) == 0 {
		h.done = true
		return false, nil
	}
	if h.octets += len(line); h.octets > maxRawHeader {
		return false, lineError{sentence.Errorf("is beyond %d octets of header; is this a mail message?", maxRawHeader)}
	}
	if !utf8.Valid(line) {
		return false, lineError{sentence.New("is in the header and neither ASCII nor UTF-8")}
	}
	if line[0] == ' ' || line[0] == '\t' {
		if h.fields == 0 {
			return false, lineError{sentence.New("begins with a blank, but no header field stands before it; is this a mail message?")}
		}
		// Parsers disagree on whether a line of blanks ends the header.
		return h.drop || len(bytes.Trim(line, " \t")) == 0, nil
	}
	name, _, ok := cutField(line)
	if !ok {
		// The line is not quoted: of a file named by mistake it may be a secret.
		return false, lineError{sentence.New("is no header field; is this a mail message?")}
	}
	h.fields++
	h.drop = isBcc(name)
	return h.drop, nil
}

func isBcc(lower string) bool { return lower == "bcc" || lower == "resent-bcc" }

// cutField splits the first line of a header field; name is in lower case. A
// blank before the colon is obsolete (RFC 5322 section 4.5) and read, lest a
// "Bcc :" be sent.
func cutField(line []byte) (name, value string, ok bool) {
	before, after, ok := strings.Cut(string(line), ":")
	name = strings.ToLower(strings.TrimRight(before, " \t"))
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", "", false
	}
	return name, after, true
}

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
	if !isBcc(f.fields[len(f.fields)-1].name) {
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
