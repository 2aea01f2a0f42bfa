package smtp

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/excerpt"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Limits of one reply. RFC 5321 section 4.5.3.1.5 allows 512 octets for a line; real ones are
// longer, but none needs as much as these.
const (
	MaxReplyLine  = 4096 // octets in a line, without the line end
	MaxReplyLines = 256
	MaxReplyBytes = 64 << 10 // octets of text in all
)

// Reply is a server's reply (RFC 5321 section 4.2). The zero Reply means that there was none.
type Reply struct {
	// Code is 200 to 599.
	Code int `json:"code"`
	// Enhanced is the first enhanced code in the lines (RFC 2034).
	Enhanced EnhancedCode `json:"enhanced,omitzero"`
	// Lines are the texts of the lines in UTF-8, without the reply code and, if a line repeats
	// it, without the enhanced code. They must not be changed: equal replies may share them.
	Lines []string `json:"lines"`
}

// IsZero reports whether there was no reply.
func (r Reply) IsZero() bool { return r.Code == 0 }

// Text returns all lines joined by spaces.
func (r Reply) Text() string { return strings.Join(r.Lines, " ") }

// String returns the reply as one line: "550 5.1.1 User unknown".
func (r Reply) String() string {
	if r.IsZero() {
		return ""
	}
	s := fmt.Sprint(r.Code)
	if !r.Enhanced.IsZero() {
		s += " " + r.Enhanced.String()
	}
	if text := r.Text(); text != "" {
		s += " " + text
	}
	return s
}

// Positive reports a 2yz reply: completed.
func (r Reply) Positive() bool { return r.Code/100 == 2 }

// Intermediate reports a 3yz reply: continue.
func (r Reply) Intermediate() bool { return r.Code/100 == 3 }

// Transient reports a 4yz reply: a temporary failure.
func (r Reply) Transient() bool { return r.Code/100 == 4 }

// Permanent reports a 5yz reply: a permanent failure.
func (r Reply) Permanent() bool { return r.Code/100 == 5 }

// ReplyParser assembles a reply from the lines of a server. The zero value is ready for the first
// line; after a complete reply, or an error, use a new one.
type ReplyParser struct {
	reply Reply
	bytes int
}

// ErrMalformedReply is wrapped by every error of a ReplyParser: the input is not SMTP, or too
// long.
var ErrMalformedReply = errors.New("not an SMTP reply")

// Line takes one line without its line end. It returns the reply and true after the last line.
// Text that is not UTF-8 is read as GB18030, which QQ's older servers send, or else with U+FFFD
// for each bad byte.
func (p *ReplyParser) Line(b []byte) (Reply, bool, error) {
	code, last, text, err := splitReplyLine(b)
	if err != nil {
		return Reply{}, false, err
	}
	if p.reply.Code != 0 && code != p.reply.Code {
		return Reply{}, false, fmt.Errorf("%w: a line with code %d inside a reply with code %d",
			ErrMalformedReply, code, p.reply.Code)
	}
	p.bytes += len(text)
	if len(p.reply.Lines) == MaxReplyLines || p.bytes > MaxReplyBytes {
		return Reply{}, false, fmt.Errorf("%w: longer than %d lines or %d bytes",
			ErrMalformedReply, MaxReplyLines, MaxReplyBytes)
	}
	p.reply.Code = code
	line := DecodeText(text)
	if enhanced, rest, ok := CutEnhancedCode(line); ok && enhanced.Class == code/100 {
		if p.reply.Enhanced.IsZero() {
			p.reply.Enhanced = enhanced
		}
		if p.reply.Enhanced == enhanced {
			line = rest
		}
	}
	p.reply.Lines = append(p.reply.Lines, line)
	return p.reply, last, nil
}

// splitReplyLine parses "250-text", "250 text" or "250".
func splitReplyLine(b []byte) (code int, last bool, text []byte, err error) {
	if len(b) > MaxReplyLine {
		return 0, false, nil, fmt.Errorf("%w: a line of more than %d bytes", ErrMalformedReply, MaxReplyLine)
	}
	if len(b) < 3 || b[0] < '2' || b[0] > '5' || !isDigit(b[1]) || !isDigit(b[2]) ||
		len(b) > 3 && b[3] != ' ' && b[3] != '-' {
		return 0, false, nil, fmt.Errorf("%w: %q", ErrMalformedReply, excerpt.Runes(string(b), maxQuoted))
	}
	code = int(b[0]-'0')*100 + int(b[1]-'0')*10 + int(b[2]-'0')
	if len(b) == 3 {
		return code, true, nil, nil
	}
	return code, b[3] == ' ', b[4:], nil
}

// DecodeText decodes a server's text and removes control characters: a reply is shown on
// terminals and must not move their cursor or change the direction of the text. Octets that are
// not UTF-8 are read as GB18030.
func DecodeText(b []byte) string {
	s := string(b)
	if isPrintable(s) { // as in nearly every line
		return strings.TrimRight(s, " ")
	}
	if !utf8.ValidString(s) {
		// QUIRK: QQ's older servers and Coremail answer in GBK.
		if decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil {
			s = string(decoded)
		}
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.TrimRight(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0, unicode.Is(unicode.Bidi_Control, r):
			return '\uFFFD'
		}
		return r
	}, s), " ")
}

// isPrintable reports whether s is ASCII without control characters.
func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
