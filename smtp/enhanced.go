package smtp

import (
	"fmt"
	"strings"
)

// EnhancedCode is an enhanced status code (RFC 3463), like 5.1.1. The zero value means that there
// is none.
type EnhancedCode struct {
	Class   int // 2, 4 or 5
	Subject int // 0..999
	Detail  int // 0..999
}

// IsZero reports whether there is no code.
func (e EnhancedCode) IsZero() bool { return e == EnhancedCode{} }

// String returns "5.1.1", or "" for the zero value.
func (e EnhancedCode) String() string {
	if e.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", e.Class, e.Subject, e.Detail)
}

// MarshalText encodes an EnhancedCode as a string in JSON.
func (e EnhancedCode) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText decodes the result of MarshalText.
func (e *EnhancedCode) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*e = EnhancedCode{}
		return nil
	}
	parsed, rest, ok := CutEnhancedCode(string(b))
	if !ok || rest != "" {
		return fmt.Errorf("%q is not an enhanced status code", b)
	}
	*e = parsed
	return nil
}

// CutEnhancedCode cuts an enhanced code from the start of a reply's text and returns the rest. If
// there is none, ok is false and rest is the whole text: "5.1.1 unknown" has one, "127.0.0.1
// refused" and "5.1.1.1" have none.
func CutEnhancedCode(text string) (code EnhancedCode, rest string, ok bool) {
	word, rest, _ := strings.Cut(text, " ")
	var n [3]int
	for i := range n {
		part, after, more := strings.Cut(word, ".")
		word = after
		v, numeric := parseNumber(part)
		if !numeric || more != (i < len(n)-1) {
			return EnhancedCode{}, text, false
		}
		n[i] = v
	}
	if n[0] != 2 && n[0] != 4 && n[0] != 5 {
		return EnhancedCode{}, text, false
	}
	return EnhancedCode{n[0], n[1], n[2]}, rest, true
}

// parseNumber parses one to three digits.
func parseNumber(s string) (n int, ok bool) {
	if len(s) == 0 || len(s) > 3 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
