package imapclient

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// redactor hides secrets in a server's text. Short secrets, which would match
// by chance, are left: a reply that happens to contain the same letters reveals
// nothing.
type redactor struct{ needles []string }

// minNeedle is the minimum length of a secret to hide.
const minNeedle = 4

func newRedactor(c sasl.Credentials) *redactor {
	r := &redactor{}
	for _, secret := range c.Secrets() {
		r.hide(secret)
		r.hide(escape(secret)) // the form in which a server repeats a quoted string
	}
	return r
}

// hideOctets hides the base64 form of a response, which is as sensitive as the
// secrets in it.
func (r *redactor) hideOctets(b []byte) {
	if len(b) >= minNeedle {
		r.hide(base64.StdEncoding.EncodeToString(b))
	}
}

// hide adds a needle. The longest come first, so that a shorter one can't match
// inside a longer one and leave the rest.
func (r *redactor) hide(needle string) {
	if len(needle) < minNeedle || slices.Contains(r.needles, needle) {
		return
	}
	r.needles = append(r.needles, needle)
	slices.SortStableFunc(r.needles, func(a, b string) int { return len(b) - len(a) })
}

func (r *redactor) line(s string) string {
	for _, n := range r.needles {
		s = strings.ReplaceAll(s, n, smtpclient.Hidden)
	}
	return s
}

// maxText limits the stored text, in octets.
const maxText = 1000

// text converts a server's text for users. It hides secrets before and after
// decoding, because a secret in GBK is only visible decoded.
func (r *redactor) text(b []byte) string {
	s := r.line(smtp.DecodeText([]byte(r.line(string(b)))))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
