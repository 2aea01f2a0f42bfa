package message

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/charset"
)

// fitPart is a message or a part of one: the results of the first reading, which say how the
// later ones write it.
type fitPart struct {
	encoding  string // Content-Transfer-Encoding, in lower case
	isText    bool
	container bool       // of other parts: its own body is not encoded
	untouched bool       // signed or encrypted
	line      int        // number of the first line that is too long; 0 for none
	forbidden octetClass // the classes that must be encoded

	found          octetClass // the classes of octets in the body
	notUTF8        bool
	octets, quoted int64 // of the body; those that quoted-printable encodes
}

func (p *fitPart) isEight() bool { return p.found&eightOctet != 0 }

// hasForbidden reports whether the body has octets that mail can't carry, or that Raw.Repair encodes.
func (p *fitPart) hasForbidden() bool { return p.found&p.forbidden != 0 }

// recodingIn returns the recoding of the body in a form of the message.
func (p *fitPart) recodingIn(f form) recoding {
	eight := p.isEight() && f == sevenBitForm
	switch {
	case p.container, p.untouched:
		return asItIs
	case p.encoding == "base64" && (p.line > 0 || p.isEight() || p.hasForbidden()):
		return rewrap
	case p.encoding == "quoted-printable" && (p.line > 0 || p.isEight() || p.hasForbidden()):
		return requote
	case !p.isIdentity() || p.line == 0 && !eight && !p.hasForbidden():
		return asItIs
	case p.isText && p.quoted*2 <= p.octets/3+readable:
		return quoteBody
	}
	return base64ize
}

// readable is how many octets longer than base64 quoted-printable may be, because people can read
// it.
const readable = 40

func (p *fitPart) isIdentity() bool {
	switch p.encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// newEncoding returns the Content-Transfer-Encoding in a form; "" keeps the original one.
func (p *fitPart) newEncoding(f form) string {
	switch p.recodingIn(f) {
	case quoteBody:
		return "quoted-printable"
	case base64ize:
		return "base64"
	case asItIs:
		switch {
		case p.untouched || !p.isIdentity():
		case p.container && f == sevenBitForm && p.encoding != "" && p.encoding != "7bit":
			return "7bit"
		case p.encoding == "binary":
			return map[bool]string{true: "8bit", false: "7bit"}[p.isEight() || p.container]
		}
	}
	return ""
}

// fitter reads a message line by line and, after a first reading, rewrites it.
type fitter struct {
	plan  *fitPlan
	form  form
	first bool // the first reading, which creates the plan
	next  int  // the part whose header comes next

	state      fitState
	header     fitHeader
	long       []byte // the beginning of a line of a part's header
	headLines  int    // of the header
	headOctets int
	within     bool // the input continues a line
	number     int  // of the current line
	boundaries []fitBoundary
	body       bodyEncoder
	part       *fitPart
	any, owed  bool // the body has octets; its last line end is pending

	out []byte // output, to be consumed by the caller
}

// Limits of a message that is changed, far above what programs write. Without them a message of a few
// megabytes could take gigabytes of memory, or hours.
const (
	maxPartLines = 10_000  // in the header of a part
	maxParts     = 100_000 // with those that contain others
	maxDepth     = 100     // of multipart in multipart
)

var (
	errPartLines = lineError{localerr.Errorf("exceeds %d lines of header of a part", maxPartLines)}
	errParts     = lineError{localerr.Errorf("exceeds %d parts of a message", maxParts)}
	errDepth     = lineError{localerr.Errorf("exceeds %d levels of parts", maxDepth)}
)

type fitState int

const (
	inFitHeader fitState = iota
	inFitBody
	betweenParts // before the first part, after the last one, or in a part that is left alone
)

type fitBoundary struct {
	text      string
	untouched bool
}

// takeLine reads a line, or a piece of one if partial is set.
func (f *fitter) takeLine(line []byte, partial bool) error {
	begins := !f.within
	if begins {
		f.number++
	}
	f.within = partial
	if f.state == inFitHeader {
		if f.long = append(f.long, line...); len(f.long) > maxRawHeader {
			return errLongHeader
		}
		if partial {
			return nil
		}
		line = f.long
		f.long = nil
		return f.headerLine(line)
	}
	if begins && bytes.HasPrefix(line, []byte("--")) {
		if depth, last, ok := f.findBoundary(line); ok {
			f.endBody(false)
			f.boundaries = f.boundaries[:depth+1]
			f.state = inFitHeader
			if last {
				f.boundaries, f.state = f.boundaries[:depth], betweenParts
			}
			f.out = append(append(f.out, line...), '\r', '\n')
			return nil
		}
	}
	if f.state == betweenParts {
		f.part = &f.plan.between
	}
	f.inspectLine(line, begins, partial)
	if f.state == betweenParts {
		start := len(f.out)
		f.out = append(f.out, line...)
		if f.plan.breaksLines() {
			spaceForNUL(f.out[start:])
		}
		if !partial || f.plan.breaksLines() {
			f.out = append(f.out, '\r', '\n')
		}
		return nil
	}
	if f.owed {
		f.out = f.body.endLine(f.out)
	}
	f.any, f.owed = true, !partial
	f.out = f.body.encodeLine(f.out, line, begins)
	return nil
}

// inspectLine collects facts about the body of a part.
func (f *fitter) inspectLine(line []byte, begins, partial bool) {
	p := f.part
	if !f.first {
		return
	}
	if partial && p.line == 0 {
		p.line = f.number
	}
	if begins && !f.plan.raw.Repair && bytes.HasPrefix(line, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		p.untouched = true
		f.plan.signedBy = "PGP"
	}
	p.octets += int64(len(line)) + 2
	var found octetClass
	quoted, table := 0, octetClasses()
	for _, c := range line {
		class := table[c]
		found |= class
		quoted += int(class & quotedOctet)
	}
	p.found |= found
	p.quoted += int64(quoted)
	p.notUTF8 = p.notUTF8 || found&eightOctet != 0 && (partial || !utf8.Valid(line))
}

// octetClass says in what an octet of a body is special; the classes are bits.
type octetClass uint8

const (
	quotedOctet  octetClass = 1 << iota // quoted-printable encodes it; the lowest bit, which is counted
	eightOctet                          // above 127
	nulOctet                            // NUL
	controlOctet                        // other control characters, but tab and form feed
	shiftOctet                          // ESC, SO, SI
)

// octetClasses returns the table of them, which is made at first use.
var octetClasses = sync.OnceValue(func() *[256]octetClass {
	var table [256]octetClass
	for c := range table {
		switch {
		case c >= utf8.RuneSelf:
			table[c] = quotedOctet | eightOctet
		case c == 0:
			table[c] = quotedOctet | nulOctet
		case c == '\x1b', c == '\x0e', c == '\x0f':
			table[c] = quotedOctet | shiftOctet
		case c == '\f', c == '=':
			table[c] = quotedOctet
		case c < ' ' && c != '\t', c == 0x7f:
			table[c] = quotedOctet | controlOctet
		}
	}
	return &table
})

// findBoundary reports whether a line is the boundary of an open part, its depth, and whether it is
// the last.
func (f *fitter) findBoundary(line []byte) (depth int, last, ok bool) {
	for depth = len(f.boundaries) - 1; depth >= 0; depth-- {
		rest, found := bytes.CutPrefix(line, []byte("--"+f.boundaries[depth].text))
		if !found {
			continue
		}
		switch string(bytes.TrimRight(rest, blanks)) {
		case "":
			return depth, false, true
		case "--":
			return depth, true, true
		}
	}
	return 0, false, false
}

func spaceForNUL(line []byte) {
	for i, c := range line {
		if c == 0 {
			line[i] = ' '
		}
	}
}

func (f *fitter) headerLine(line []byte) error {
	if f.plan.raw.Repair && !f.plan.dkim && !f.inUntouched() {
		spaceForNUL(line)
		if !utf8.Valid(line) {
			if decoded, err := charset.Decode(string(line), "gb18030"); err == nil {
				line = []byte(decoded)
			}
		}
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return localerr.Errorf("line %d contains a NUL, in the header of a part", f.number)
	}
	if len(line) > 0 {
		f.headLines++
		if f.headOctets += len(line); f.headOctets > maxRawHeader {
			return errLongHeader
		}
		if f.next > 0 && f.headLines > maxPartLines {
			return errPartLines
		}
		if f.header.addLine(line) {
			return nil
		}
		f.giveUp(line)
		if f.next > maxParts {
			return errParts
		}
		return nil
	}
	return f.endHeader()
}

// giveUp leaves a part with a malformed header alone, as other programs may parse it differently.
func (f *fitter) giveUp(line []byte) {
	if f.first {
		f.plan.parts = append(f.plan.parts, fitPart{untouched: true})
	}
	f.next++
	f.part = &f.plan.between
	for _, field := range f.header {
		for _, line := range field.lines {
			f.copyLine(line)
		}
	}
	f.copyLine(line)
	f.header, f.state = nil, betweenParts
	f.headLines, f.headOctets = 0, 0
}

// copyLine writes a whole line unchanged.
func (f *fitter) copyLine(line []byte) {
	f.out = append(append(f.out, line...), '\r', '\n')
	f.inspectLine(line, true, len(line) > maxLine)
}

// endHeader writes the header of a message or part, and determines how to treat its body.
func (f *fitter) endHeader() error {
	index := f.next
	f.next++
	f.headLines, f.headOctets = 0, 0
	if f.next > maxParts {
		return errParts
	}
	kind, boundary := f.header.mediaType()
	main, _, _ := strings.Cut(kind, "/")
	if f.first {
		f.plan.parts = append(f.plan.parts, f.newPart(index, kind, boundary))
	}
	f.part = &f.plan.parts[index]
	header, err := f.plan.rewriteHeader(f.header, index, f.form)
	if err != nil {
		return err
	}
	f.out = append(append(f.out, header...), '\r', '\n')
	if f.first && !isASCII(string(header)) {
		// For a server the header of a part belongs to the body of the message.
		f.plan.utf8 = f.plan.utf8 || index == 0
		if index > 0 {
			f.plan.between.found |= eightOctet
		}
	}
	f.header = nil
	f.body, f.any, f.owed = bodyEncoder{how: f.part.recodingIn(f.form)}, false, false
	switch {
	case main == "multipart" && boundary != "":
		if len(f.boundaries) >= maxDepth {
			return errDepth
		}
		f.boundaries = append(f.boundaries, fitBoundary{boundary, f.part.untouched})
		f.state = betweenParts
	case f.part.container:
		f.state = inFitHeader
	default:
		f.state = inFitBody
	}
	return nil
}

// inUntouched reports whether the current part belongs to one that is signed or encrypted.
func (f *fitter) inUntouched() bool {
	return len(f.boundaries) > 0 && f.boundaries[len(f.boundaries)-1].untouched
}

func (f *fitter) newPart(index int, kind, boundary string) fitPart {
	p := fitPart{encoding: f.header.encoding(), isText: strings.HasPrefix(kind, "text/")}
	if index == 0 && f.header.hasField("dkim-signature") {
		f.plan.signedBy, f.plan.dkim = "DKIM", true
	}
	p.untouched = !f.plan.raw.Fit || f.plan.dkim || f.inUntouched()
	p.forbidden = nulOctet
	if f.plan.raw.Repair {
		p.forbidden |= controlOctet
		if !strings.Contains(strings.ToLower(f.header.fieldValue("content-type")), "iso-2022") {
			p.forbidden |= shiftOctet
		}
	}
	switch kind {
	case "multipart/signed", "multipart/encrypted":
		p.untouched = true
		f.plan.signedBy = "OpenPGP or S/MIME"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		p.untouched = true
		f.plan.signedBy = "S/MIME"
	case "message/rfc822", "message/global":
		p.container = p.isIdentity()
	}
	if strings.HasPrefix(kind, "multipart/") && boundary != "" {
		p.container = true
	}
	return p
}

// endBody ends the body of a part, before a boundary or at the end of the message.
func (f *fitter) endBody(atEnd bool) {
	if f.state != inFitBody || !f.any {
		return
	}
	if atEnd && f.owed && f.body.how == base64ize {
		f.out = f.body.endLine(f.out) // the last line end belongs to the text
	}
	f.out = f.body.finishBody(f.out)
	f.any, f.owed = false, false
}

// finishMessage is called after the last line.
func (f *fitter) finishMessage() error {
	if f.state == inFitHeader && len(f.header) > 0 {
		return f.endOpenHeader()
	}
	f.endBody(true)
	return nil
}

// endOpenHeader handles a message that ends in a header, without an empty line.
func (f *fitter) endOpenHeader() error {
	if err := f.endHeader(); err != nil {
		return err
	}
	f.out = f.out[:len(f.out)-len("\r\n")]
	return nil
}
