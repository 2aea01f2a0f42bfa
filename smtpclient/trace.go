package smtpclient

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/yanmail/yan/sasl"
)

// Direction says who said a line of the conversation.
type Direction int

const (
	// Note is a remark of this package: a connection made, a handshake done, a
	// message sent.
	Note Direction = iota
	// Sent is a command of ours.
	Sent
	// Received is a line of the server.
	Received
)

// Event is one line of the conversation.
type Event struct {
	At        time.Time
	Direction Direction
	// Text is the line without its line end. Whatever was exchanged in AUTH is
	// replaced by [Hidden], and so is a secret that a server repeats.
	Text string
	// Wait is the time from the last byte sent to this line, for the first line
	// of a reply; 0 otherwise.
	Wait time.Duration
}

// Hidden stands in a trace where a secret was.
const Hidden = "****"

// redactor hides secrets in what a server says. It can't do harm to what
// never held one: short secrets, which would match by chance, are left to the
// rule that hides AUTH exchanges whole.
type redactor struct{ needles []string }

// minNeedle is the length from which a secret is looked for in replies.
const minNeedle = 4

func newRedactor(c *sasl.Credentials) redactor {
	var r redactor
	if c == nil {
		return r
	}
	for _, secret := range c.Secrets() {
		if len(secret) < minNeedle {
			continue
		}
		r.needles = append(r.needles, secret,
			base64.StdEncoding.EncodeToString([]byte(secret)),
			base64.StdEncoding.EncodeToString([]byte("\x00"+c.Username+"\x00"+secret)))
	}
	return r
}

func (r redactor) line(s string) string {
	for _, n := range r.needles {
		s = strings.ReplaceAll(s, n, Hidden)
	}
	return s
}
