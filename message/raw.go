package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
)

// maxRawHeader is the maximum size of the header of a raw message, in octets. Ten thousand
// recipients fit, and a file that is not a message is detected early.
const maxRawHeader = 1 << 20

// OpenRaw returns a Content for the whole message in a file. It is sent unchanged, except that
//
//   - bare CR and bare LF become CRLF, and the last line ends with one,
//   - the fields Bcc and Resent-Bcc are left out, and blank lines with spaces in the header,
//   - the fields that a mailbox adds are left out:
//     Return-Path, Delivered-To, X-Original-To, Status, Content-Length and the like
//     (decision 26),
//   - a byte order mark and an mbox "From " line before the header are left out;
//     with such a line, one ">" is removed from lines that begin with ">" and "From ".
//
// Refused, with the number of the line: a line of more than 998 octets, a NUL,
// a line of the header that is not a field or ends with CR CR LF, a header in neither
// ASCII nor UTF-8, and a header of more than 1 MiB. An mbox file with several
// messages is [ErrMbox]. Missing fields are not added.
//
// The envelope is taken from Sender or else From, and from To, Cc and Bcc. If the
// message was resent, it is taken from the first block of Resent fields (RFC 5322
// section 3.6.6). EightBit and NeedsSMTPUTF8 follow from the octets of body and header.
// The file stays open until Close.
func OpenRaw(path string) (*Content, error) {
	return Raw{}.Open(path)
}

func rawFile(path string) (*source, error) {
	return fileSource(fmt.Sprintf("raw message %q", path), path)
}

// ReadRaw is [OpenRaw] for a reader, which is treated like that of an [Attachment].
func ReadRaw(r io.Reader) (*Content, error) { return Raw{}.Read(r) }

// Read is [ReadRaw] with options.
func (r Raw) Read(in io.Reader) (*Content, error) {
	src, err := readerSource("raw message", in)
	if err != nil {
		return nil, err
	}
	return r.newContent(src)
}

func (r Raw) newContent(src *source) (*Content, error) {
	c, err := r.readSource(src)
	if err != nil {
		return nil, errors.Join(err, src.close())
	}
	return c, nil
}

func (r Raw) readSource(src *source) (*Content, error) {
	body, err := newRawBody(src)
	if err != nil {
		return nil, err
	}
	var facts rawFacts
	c := &Content{sources: &sources{list: []*source{src}}}
	if r.Fit || r.Author != nil {
		err = r.fitContent(body, src, c, &facts)
	} else {
		err = body.eachLine(facts.inspectLine, func(line []byte) error {
			body.octets += int64(len(line)) + 2
			return nil
		})
		c.segments, c.size = []segment{body}, body.octets
		c.eightBit, c.utf8 = facts.eightBitBody, facts.eightBitHeader
	}
	if err == nil && !slices.ContainsFunc(facts.fields, func(f rawField) bool { return !isDropped(f.name) }) {
		err = src.wrapError(noMessage{localerr.New("it has no header")})
	}
	if err != nil {
		return nil, err
	}
	c.parties = facts.envelopeParties()
	if c.messageID == "" {
		c.messageID = facts.MessageID()
	}
	if c.fit != nil && c.fit.author && !facts.Has("sender") {
		c.parties.from, c.parties.fromErr = r.Author.Address, nil
	}
	return c, nil
}

// rawBody is a segment: a whole message, normalized for sending.
type rawBody struct {
	src    *source
	octets int64
	quoted bool // an mbox file with quoted lines
	former bool // see headerFilter
	pieces bool // longer lines are allowed, and read in pieces
	repair bool // CR CR LF is one line end
}

func (r *rawBody) size() int64 { return r.octets }

func (r *rawBody) emitTo(o *output) error {
	return r.eachLine(nil, func(line []byte) error {
		if err := o.makeRoom(len(line) + 2); err != nil {
			return err
		}
		o.buf = append(append(o.buf, line...), '\r', '\n')
		return nil
	})
}

// eachLine reads the message and calls keep with each line to be sent, without its line end. see, if
// not nil, is called with every line before that, including those left out. Measuring and sending
// both use it.
func (r *rawBody) eachLine(see func(line []byte, inHeader bool), keep func(line []byte) error) error {
	return r.readLines(see, func(line []byte, _ bool) error { return keep(line) })
}

// readLines is eachLine for messages with longer lines: it passes to keep whether more of the line
// follows.
func (r *rawBody) readLines(see func(line []byte, inHeader bool), keep func(line []byte, partial bool) error) error {
	reader, err := r.src.open()
	if err != nil {
		return err
	}
	in := lineReader{src: reader, pieces: r.pieces}
	pass := rawPass{see: see, header: headerFilter{former: r.former, binary: r.pieces}}
	begins := true  // at the beginning of a line
	from := false   // the last line was a From_ line before the header
	var long []byte // the beginning of a line of the header that comes in pieces
	for number := 1; ; {
		line, err := in.nextLine()
		if err == io.EOF {
			return nil
		}
		if err == nil && in.doubled && r.repair {
			continue
		}
		if err == nil && !pass.header.done && (in.partial || len(long) > 0) {
			if long = append(long, line...); len(long) > maxRawHeader {
				err = errLongHeader
			} else if in.partial {
				continue
			}
			line, long = long, nil
		}
		if err == nil && number == 1 && begins {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if err == nil && begins && (number == 1 && mbox.IsFromLine(line) || from && mbox.IsQuoted(line)) {
			from = true
			number++
			continue
		}
		from = false
		if err == nil && in.doubled && !pass.header.done {
			number--
			err = lineError{localerr.New("ends with CR CR LF; its line ends were converted twice")}
		}
		if err == nil {
			if r.quoted && begins && mbox.IsQuoted(line) {
				line = line[1:]
			}
			var drop bool
			drop, err = pass.filterLine(line)
			if err == nil && !drop {
				err = keep(line, in.partial)
			}
		}
		if bad, ok := err.(lineError); ok {
			return r.src.wrapError(localerr.Errorf("line %d %w", number, bad))
		}
		if err != nil {
			return err
		}
		if begins = !in.partial; begins {
			number++
		}
	}
}
