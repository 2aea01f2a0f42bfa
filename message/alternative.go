package message

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
)

// Alternative is another form of the same text, beside Text and HTML (multipart/alternative).
// Mail programs show the last form that they support. So an alternative follows the HTML, except
// text/x-amp-html, which AMP requires before it.
type Alternative struct {
	// ContentType is a text type with its parameters: "text/calendar; method=REQUEST". The
	// charset is always UTF-8 and may be omitted.
	ContentType string
	// Text is UTF-8 with any line ends.
	Text string
}

// Invitation returns the alternative for a calendar object (RFC 5545), which mail programs show
// with buttons to accept and decline (RFC 6047). The object must have a METHOD. Attach the file
// as well, for other programs: see [InvitationFile].
func Invitation(calendar string) (Alternative, error) {
	calendar = strings.TrimPrefix(calendar, "\ufeff")
	if !utf8.ValidString(calendar) {
		return Alternative{}, localerr.New("is not UTF-8")
	}
	if !strings.EqualFold(calendarProperty(calendar, "BEGIN"), "VCALENDAR") {
		return Alternative{}, localerr.New("is not a calendar: it does not start with BEGIN:VCALENDAR")
	}
	method := strings.ToUpper(calendarProperty(calendar, "METHOD"))
	if !isToken(method) {
		return Alternative{}, localerr.New("has no METHOD, which says what it asks for; an invitation has METHOD:REQUEST")
	}
	return Alternative{ContentType: "text/calendar; method=" + method, Text: calendar}, nil
}

// InvitationFile attaches the calendar object of an [Invitation] under a name. Its type is
// application/ics, so that no program shows it as a second invitation.
func InvitationFile(name, calendar string) Attachment {
	a := Bytes(name, []byte(calendar))
	a.ContentType = "application/ics"
	return a
}

// InvitationText returns the summary and text of a calendar object, for mail programs that show
// only text; "" if it has none.
func InvitationText(calendar string) (summary, text string) {
	event := calendar
	if at := strings.Index(strings.ToUpper(calendar), "BEGIN:VEVENT"); at >= 0 {
		event = calendar[at:]
	}
	unescape := strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace
	summary = strings.TrimSpace(strings.ReplaceAll(unescape(calendarProperty(event, "SUMMARY")), "\n", " "))
	var parts []string
	for _, part := range []string{summary, unescape(calendarProperty(event, "LOCATION")), unescape(calendarProperty(event, "DESCRIPTION"))} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", ""
	}
	return summary, strings.Join(parts, "\n\n") + "\n"
}

// calendarProperty returns the value of the first property with a name, unfolded (RFC 5545
// section 3.1); "" if there is none.
func calendarProperty(calendar, name string) string {
	for rest := calendar; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if len(line) <= len(name) || !strings.EqualFold(line[:len(name)], name) || line[len(name)] != ':' && line[len(name)] != ';' {
			continue
		}
		for strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "\t") {
			var more string
			more, rest, _ = strings.Cut(rest[1:], "\n")
			line += strings.TrimSuffix(more, "\r")
		}
		return afterParameters(line[len(name):])
	}
	return ""
}

// afterParameters returns the text after the colon of a property; parameters before it may
// contain colons in quotes.
func afterParameters(s string) string {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ':' && !quoted:
			return strings.TrimSpace(s[i+1:])
		}
	}
	return ""
}

// parseAlternatives returns the forms to put before the HTML and after it.
func (d *draft) parseAlternatives() (before, after []*entity, err error) {
	for i, a := range d.message.Alternatives {
		e, err := d.alternativeEntity(a)
		if err != nil {
			return nil, nil, localerr.Errorf("%s: %w", fmt.Sprintf("alternatives[%d] %q", i, excerpt.Runes(a.ContentType, maxQuoted)), err)
		}
		if e.subtype == "x-amp-html" {
			before = append(before, e)
		} else {
			after = append(after, e)
		}
	}
	return before, after, nil
}

func (d *draft) alternativeEntity(a Alternative) (*entity, error) {
	kind, err := parseMediaType(a.ContentType)
	if err != nil {
		return nil, err
	}
	subtype, isText := strings.CutPrefix(kind.full, "text/")
	switch {
	case !isText:
		return nil, localerr.New("is not a text type; use an attachment instead")
	case !utf8.ValidString(a.Text):
		return nil, localerr.New("its text is not UTF-8")
	case kind.params["charset"] != "" && !strings.EqualFold(kind.params["charset"], utf8Label):
		return nil, localerr.New("its charset must be utf-8")
	}
	if subtype == "calendar" {
		named := strings.ToUpper(calendarProperty(a.Text, "METHOD"))
		switch given := kind.params["method"]; {
		case given == "" && isToken(named):
			kind = kind.withCharset("method", named)
		case !strings.EqualFold(given, named):
			return nil, localerr.Errorf("method=%s differs from METHOD:%s in the calendar", given, named)
		}
	}
	delete(kind.params, "charset")
	var f folder
	for _, key := range slices.Sorted(maps.Keys(kind.params)) {
		words, ok := formatParameter(key, kind.params[key])
		if !ok {
			return nil, localerr.Errorf("its parameter %s is too long, or not ASCII", key)
		}
		f.buf = append(f.buf, "; "+words[0]...)
	}
	if len(f.buf) > foldAt-len("Content-Type: text/; charset=utf-8")-len(subtype) {
		return nil, localerr.New("its parameters are too long")
	}
	return d.textEntity(subtype, string(f.buf), a.Text), nil
}
