package outbox

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
)

// Limits of the names in a NewMessage.
const (
	MaxAccount = 64  // octets
	MaxKey     = 200 // octets
	MaxTag     = 64  // octets
	MaxTags    = 20
)

// CheckNames returns an error if the account, the key or a tag can't be shown, compared and
// counted as it is. Every store calls it before it keeps a message, so that readers of the
// outbox can rely on it.
func (m *NewMessage) CheckNames() error {
	if !IsAccount(m.Account) {
		return localerr.Errorf("invalid account name %q: use letters, digits, - and _, at most %d", excerpt.Octets(m.Account, 60), MaxAccount)
	}
	if len(m.Key) > MaxKey || !IsText(m.Key) {
		return localerr.Errorf("the key must be 1 to %d octets of text without control characters", MaxKey)
	}
	if len(m.Tags) > MaxTags {
		return localerr.Errorf("%d tags; a message may have at most %d", len(m.Tags), MaxTags)
	}
	for _, tag := range m.Tags {
		if tag == "" || len(tag) > MaxTag || !IsText(tag) {
			return localerr.Errorf("invalid tag %q: want 1 to %d octets without spaces, commas and control characters", excerpt.Octets(tag, 60), MaxTag)
		}
	}
	return nil
}

// IsAccount reports whether name can be the name of an account; "" is the only account of an
// outbox, or the default one.
func IsAccount(name string) bool {
	return len(name) <= MaxAccount && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// IsText reports whether s is valid UTF-8 in one line, without control characters and
// bidirectional controls.
func IsText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}
