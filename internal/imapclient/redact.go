package imapclient

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// redactor hides secrets in what a server says. Short ones, which would match
// by chance, are left alone: nobody learns them from a reply that happens to
// hold the same letters.
type redactor struct{ needles []string }

// minNeedle is the length from which a secret is looked for.
const minNeedle = 4

func newRedactor(c sasl.Credentials) *redactor {
	r := &redactor{}
	for _, secret := range c.Secrets() {
		r.hide(secret)
		r.hide(escape(secret)) // as a server repeats a quoted string
	}
	return r
}

// hideOctets hides the base64 of a response, which is worth as much as the
// secrets in it.
func (r *redactor) hideOctets(b []byte) {
	if len(b) >= minNeedle {
		r.hide(base64.StdEncoding.EncodeToString(b))
	}
}

// hide adds a needle. The longest come first, so that no shorter one takes a
// piece out of them and leaves the rest.
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

// maxText bounds what is kept of a text for people, in octets.
const maxText = 1000

// text makes a text for people of what a server sent. It looks for secrets
// before the text is decoded and after, when one that came in GBK can be seen.
func (r *redactor) text(b []byte) string {
	s := r.line(smtp.DecodeText([]byte(r.line(string(b)))))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
