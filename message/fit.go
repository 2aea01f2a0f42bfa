package message

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/yanmail/yan/internal/localerr"
)

// Raw says how to read a whole message. The zero Raw is the one of [OpenRaw] and [ReadRaw].
type Raw struct {
	// Fit changes only what prevents a message from being sent:
	//
	//   - Date and Message-ID are added if they are missing. The Message-ID is derived from the
	//     message, so it is the same each time.
	//   - Text and names in UTF-8 in the header become encoded words, parameters of MIME fields are
	//     written as in RFC 2231, and lines of more than 998 octets are folded. Only text that can't
	//     be ASCII, like a local part in UTF-8, still needs SMTPUTF8.
	//   - Parts with longer lines or a NUL, and for a server without 8BITMIME parts in
	//     8-bit, are written as quoted-printable or base64.
	//
	// Signed and encrypted parts (DKIM-Signature, OpenPGP, S/MIME) stay as they are.
	Fit bool
	// Date is the date for a message without one, with Fit; zero means now.
	Date time.Time
	// Undated, with Fit, adds neither Date nor Message-ID.
	Undated bool
	// Author replaces From if it has no address, or always with ReplaceAuthor. A message with a
	// DKIM-Signature keeps its own.
	Author        *Mailbox
	ReplaceAuthor bool
	// Repair, with Fit, also changes what programs write by mistake:
	//
	//   - Parts with control characters other than the tab and the form feed are encoded like those with
	//     a NUL; ESC, SO and SI are no control characters in the ISO-2022 charsets.
	//   - CR CR LF is one line end.
	//   - Lines that can't be encoded, such as those between parts, are broken after 998 octets, and
	//     a NUL in them is a space.
	//   - The header of a part may be in GB18030.
	//
	// Text with a PGP signature inside is treated as any other: its encoding does not change it. The
	// Content has the 7-bit form if there is one.
	Repair bool
}

// Open is [OpenRaw] with options.
func (r Raw) Open(path string) (*Content, error) {
	src, err := rawFile(path)
	if err != nil {
		return nil, err
	}
	return r.newContent(src)
}

// fitPlan is the result of the first reading of a message.
type fitPlan struct {
	raw   Raw
	parts []fitPart
	// between stands for the lines between parts, and in parts that can't be parsed.
	between fitPart

	signedBy string // the signature on the message or a part; "" for none
	dkim     bool   // the header is signed, too: nothing may be changed
	utf8     bool   // the header contains UTF-8 all the same

	author   bool   // From is replaced
	from     []byte // the new From
	dated    bool   // a date is added
	idDomain string // domain of a Message-ID to be added; "" for none
}

// allParts returns the parts and the lines between them.
func (p *fitPlan) allParts() []fitPart { return append([]fitPart{p.between}, p.parts...) }

// fitBody is a segment: a message rewritten according to the plan.
type fitBody struct {
	raw    *rawBody
	plan   *fitPlan
	form   form
	octets int64
}

func (b *fitBody) size() int64 { return b.octets }

func (b *fitBody) emitTo(o *output) error {
	return b.writeFitted(func(p []byte) error {
		for len(p) > 0 {
			n := min(len(p), outputBlock)
			if err := o.makeRoom(n); err != nil {
				return err
			}
			o.buf = append(o.buf, p[:n]...)
			p = p[n:]
		}
		return nil
	})
}

func (b *fitBody) writeFitted(to func([]byte) error) error {
	f := &fitter{plan: b.plan, form: b.form}
	err := b.raw.readLines(nil, func(line []byte, partial bool) error {
		if err := f.takeLine(line, partial); err != nil {
			return err
		}
		return f.drainOutput(to)
	})
	if err == nil {
		err = f.finishMessage()
	}
	if err == nil {
		err = f.drainOutput(to)
	}
	return err
}

func (f *fitter) drainOutput(to func([]byte) error) error {
	if len(f.out) == 0 {
		return nil
	}
	err := to(f.out)
	f.out = f.out[:0]
	return err
}

// fitContent returns the Content of a raw message that needs changes.
func (r Raw) fitContent(body *rawBody, src *source, c *Content, facts *rawFacts) error {
	plan := &fitPlan{raw: r, between: fitPart{untouched: true}}
	hash := sha256.New()
	f := &fitter{plan: plan, first: true, form: sevenBitForm}
	body.pieces, body.repair = r.Fit, r.Fit && r.Repair
	err := body.readLines(facts.inspectLine, func(line []byte, partial bool) error {
		body.octets += int64(len(line))
		_, _ = hash.Write(line) // a hash returns no errors
		if !partial {
			body.octets += int64(len("\r\n"))
			_, _ = hash.Write([]byte("\r\n"))
		}
		if err := f.takeLine(line, partial); err != nil {
			return src.wrapError(err)
		}
		f.out = f.out[:0]
		return nil
	})
	if err != nil {
		return err
	}
	if err := f.finishMessage(); err != nil {
		return src.wrapError(err)
	}
	c.said = [sha256.Size]byte(hash.Sum(nil))
	if err := plan.checkFit(); err != nil {
		return src.wrapError(err)
	}
	plan.findMissing(facts)
	whole := &fitBody{raw: body, plan: plan, form: eightBitForm}
	if r.Fit && r.Repair && !plan.isEight(sevenBitForm) {
		whole.form = sevenBitForm
	}
	if err := whole.measureSize(); err != nil {
		return err
	}
	c.fit = plan
	c.segments = []segment{nil, whole}
	c.addFields()
	c.size = c.segments[0].size() + whole.octets
	c.eightBit, c.utf8 = plan.isEight(whole.form), plan.utf8 || !isASCII(string(plan.from))
	return nil
}

// addFields writes the missing fields before the header.
func (c *Content) addFields() {
	var added []byte
	p := c.fit
	if p.dated {
		added = append(p.raw.Date.AppendFormat(append(added, "Date: "...), time.RFC1123Z), "\r\n"...)
	}
	added = append(added, p.from...)
	if p.idDomain != "" {
		// An added date distinguishes messages that are otherwise equal.
		sum := sha256.Sum256(append(c.said[:], added...))
		c.messageID = "<" + hex.EncodeToString(sum[:16]) + "@" + p.idDomain + ">"
		added = append(append(append(added, "Message-ID: "...), c.messageID...), "\r\n"...)
	}
	c.segments[0] = literal(added)
}

// Redate changes the date that Raw.Fit added, and the Message-ID added with it: so a message that
// is sent again has those of the first time. It changes nothing in other messages, and never the
// size.
func (c *Content) Redate(t time.Time) {
	if c.fit == nil || !c.fit.dated || c.signed {
		return
	}
	c.fit.raw.Date = t
	c.addFields()
}

func (b *fitBody) measureSize() error {
	b.octets = 0
	return b.writeFitted(func(p []byte) error {
		b.octets += int64(len(p))
		return nil
	})
}

// checkFit returns an error for defects that Fit can't repair.
func (p *fitPlan) checkFit() error {
	for i, part := range p.allParts() {
		if i == 0 && p.breaksLines() {
			continue
		}
		if part.line > 0 && part.recodingIn(eightBitForm) == asItIs {
			if p.signedBy != "" {
				return localerr.Errorf("line %d is longer than %d octets and can't be changed, because the message is signed (%s)", part.line, maxLine, p.signedBy)
			}
			return localerr.Errorf("line %d is longer than %d octets, in a part that can't be re-encoded", part.line, maxLine)
		}
		if part.found&nulOctet != 0 && part.recodingIn(eightBitForm) == asItIs {
			return localerr.New("it contains a NUL, which mail can't carry, in a part that can't be re-encoded")
		}
	}
	return nil
}

// breaksLines reports whether lines between parts are broken if they are too long.
func (p *fitPlan) breaksLines() bool { return p.raw.Repair && p.raw.Fit && p.signedBy == "" }

// isEight reports whether the body has octets above 127 in a form of the message.
func (p *fitPlan) isEight(f form) bool {
	for _, part := range p.allParts() {
		if part.isEight() && part.recodingIn(f) == asItIs {
			return true
		}
	}
	return false
}

// sevenBit returns the form for a server without 8BITMIME.
func (p *fitPlan) sevenBit(c *Content) (*Content, bool) {
	if p.isEight(sevenBitForm) || c.signed {
		return nil, false
	}
	whole := *c.segments[1].(*fitBody)
	whole.form = sevenBitForm
	if whole.measureSize() != nil { // the error occurs again when c is written
		return nil, false
	}
	seven := *c
	seven.eightBit = false
	seven.segments = []segment{c.segments[0], &whole}
	seven.size = c.segments[0].size() + whole.octets
	return &seven, true
}

// findMissing determines the missing fields.
func (p *fitPlan) findMissing(facts *rawFacts) {
	if p.dkim {
		return
	}
	if p.raw.Date.IsZero() {
		p.raw.Date = time.Now()
	}
	p.dated = p.raw.Fit && !p.raw.Undated && !facts.Has("date")
	_, hasAuthor := facts.Author()
	if p.raw.Author != nil && (p.raw.ReplaceAuthor || !hasAuthor) {
		p.author = true
		f := folder{}
		f.mailboxField("From", []Mailbox{*p.raw.Author})
		p.from = f.buf
	}
	if p.raw.Fit && !p.raw.Undated && !facts.Has("message-id") {
		p.idDomain = "localhost"
		if p.author {
			p.idDomain = p.raw.Author.Address.ASCIIDomain()
		} else if from, err := senderOf(facts.fields, "from", "sender"); err == nil {
			p.idDomain = from.ASCIIDomain()
		}
	}
}

// rewriteHeader returns the header of a part in a form.
func (p *fitPlan) rewriteHeader(h fitHeader, index int, f form) ([]byte, error) {
	part := &p.parts[index]
	var dst []byte
	var err error
	encoding, done := part.newEncoding(f), part.untouched && p.dkim
	for i := range h {
		field := &h[i]
		switch {
		case done || part.untouched && index > 0 || !p.raw.Fit:
			if index == 0 && p.author && field.lower == "from" {
				continue
			}
			for _, line := range field.lines {
				dst = append(append(dst, line...), '\r', '\n')
			}
			continue
		case index == 0 && p.author && field.lower == "from":
			continue
		case field.lower == "content-transfer-encoding" && encoding != "":
			dst = append(append(append(dst, "Content-Transfer-Encoding: "...), encoding...), '\r', '\n')
			encoding = ""
			continue
		}
		if dst, err = field.appendTo(dst); err != nil {
			return nil, err
		}
	}
	if encoding == "" || done || !p.raw.Fit {
		return dst, nil
	}
	if index == 0 && !h.hasField("mime-version") {
		dst = append(dst, "MIME-Version: 1.0\r\n"...)
	}
	if index == 0 && !h.hasField("content-type") && part.isEight() && !part.notUTF8 {
		dst = append(dst, "Content-Type: text/plain; charset=utf-8\r\n"...)
	}
	return append(append(append(dst, "Content-Transfer-Encoding: "...), encoding...), '\r', '\n'), nil
}
