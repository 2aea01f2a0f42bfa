package imapclient

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// textRedactor hides secrets in a server's text. Short secrets, which would match
// by chance, are left: a reply that happens to contain the same letters reveals
// nothing.
type textRedactor struct{ needles []string }

// minNeedle is the minimum length of a secret to hide.
const minNeedle = 4

func newRedactor(c sasl.Credentials) *textRedactor {
	r := &textRedactor{}
	for _, secret := range c.Secrets() {
		r.addNeedle(secret)
		r.addNeedle(escapeQuoted(secret)) // the form in which a server repeats a quoted string
	}
	return r
}

// hideOctets hides the base64 form of a response, which is as sensitive as the
// secrets in it.
func (r *textRedactor) hideOctets(b []byte) {
	if len(b) >= minNeedle {
		r.addNeedle(base64.StdEncoding.EncodeToString(b))
	}
}

// addNeedle adds a needle. The longest come first, so that a shorter one can't match
// inside a longer one and leave the rest.
func (r *textRedactor) addNeedle(needle string) {
	if len(needle) < minNeedle || slices.Contains(r.needles, needle) {
		return
	}
	r.needles = append(r.needles, needle)
	slices.SortStableFunc(r.needles, func(a, b string) int { return len(b) - len(a) })
}

func (r *textRedactor) line(s string) string {
	for _, n := range r.needles {
		s = strings.ReplaceAll(s, n, smtpclient.Hidden)
	}
	return s
}

// maxText limits the stored text, in octets.
const maxText = 1000

// cleanText converts a server's text for users. It hides secrets before and after
// decoding, because a secret in GBK is only visible decoded.
func (r *textRedactor) cleanText(b []byte) string {
	s := r.line(smtp.DecodeText([]byte(r.line(string(b)))))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
