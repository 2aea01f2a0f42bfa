package smtpclient

import (
	"crypto/tls"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yanmail/yan/sasl"
)

// Direction says who said a line of the conversation, or what happened beside
// it.
type Direction int

const (
	// Sent is a command of ours.
	Sent Direction = iota
	// Received is a line of the server.
	Received
	// Connected: the connection stands. Text is the address of the other end.
	Connected
	// Secured: the TLS handshake is done. Text is version, cipher suite and what
	// the certificate was found to be.
	Secured
	// MessageSent: the last octet of the message was handed to the kernel. Text
	// is the number of octets.
	MessageSent
	// Redialing: the connection ended or stayed silent before the server's first word
	// of TLS, and is dialed once more with a smaller ClientHello.
	Redialing
	// Waiting: the server has not greeted for some time; the greeting is waited for.
	// Wait is how much longer it may take.
	Waiting
)

// Event is one line of the conversation.
type Event struct {
	At        time.Time
	Direction Direction
	// Text is the line without its line end. Whatever was exchanged in AUTH is
	// replaced by [Hidden], and so is a secret that a server repeats.
	Text string
	// Wait is how long it took: for the first line of a reply since the last
	// octet sent, for Secured and MessageSent since the start of the handshake or
	// the message; 0 otherwise.
	Wait time.Duration
	// Handshake is what Text says of a Secured event; nil for any other.
	Handshake *Handshake
}

// Handshake is what a TLS handshake has settled.
type Handshake struct {
	Version, CipherSuite string // as crypto/tls names them
	// KeyExchange is the group that the keys come from, like "X25519MLKEM768", or "RSA".
	KeyExchange string
	// NoForwardSecrecy: who gets hold of the server's key later can read what was
	// recorded of the connection. Only an RSA key exchange is like that.
	NoForwardSecrecy bool
	// Name is the one for which the server's certificate was verified; "" when it
	// is the pinned one, whose name does not count.
	Name string
}

// String is the text of the event.
func (h Handshake) String() string {
	certificate := "certificate is the pinned one"
	if h.Name != "" {
		certificate = "certificate of " + h.Name + " verified"
	}
	if h.NoForwardSecrecy {
		certificate += ", RSA key exchange without forward secrecy"
	}
	return h.Version + ", " + h.CipherSuite + ", " + certificate
}

// handshakeOf describes a handshake.
func handshakeOf(state tls.ConnectionState, verified string) Handshake {
	h := Handshake{Version: tls.VersionName(state.Version), CipherSuite: tls.CipherSuiteName(state.CipherSuite), Name: verified}
	if h.NoForwardSecrecy = slices.Contains(rsaSuites(), state.CipherSuite); h.NoForwardSecrecy {
		h.KeyExchange = "RSA"
	} else if state.CurveID != 0 {
		h.KeyExchange = state.CurveID.String()
	}
	return h
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
		r.hide(secret, minNeedle)
		r.hideResponse(base64.StdEncoding.EncodeToString([]byte(secret)))
		r.hideResponse(base64.StdEncoding.EncodeToString([]byte(c.AuthorizationID + "\x00" + c.Username + "\x00" + secret)))
		// A server that answers in GBK repeats a Chinese secret in GBK too, which
		// is shorter than it is in UTF-8.
		gbk, err := simplifiedchinese.GB18030.NewEncoder().String(secret)
		if err == nil && gbk != secret && len(secret) >= minNeedle {
			r.hide(gbk, 1)
		}
	}
	return r
}

// hideResponse adds a base64 line of ours of an AUTH exchange, which is worth
// as much as the secrets in it.
func (r *redactor) hideResponse(line string) {
	r.hide(line, base64.StdEncoding.EncodedLen(minNeedle))
}

// hide adds a needle of at least so many octets. The longest come first, so
// that no shorter one takes a piece out of them and leaves the rest.
func (r *redactor) hide(needle string, atLeast int) {
	if len(needle) < atLeast || slices.Contains(r.needles, needle) {
		return
	}
	r.needles = append(r.needles, needle)
	slices.SortStableFunc(r.needles, func(a, b string) int { return len(b) - len(a) })
}

// octets is line for a line that need not become a string.
func (r *redactor) octets(b []byte) []byte {
	if len(r.needles) == 0 {
		return b
	}
	return []byte(r.line(string(b)))
}

// err takes secrets out of what is wrong with a line. Quoting it may have
// spelt one that the line itself did not.
func (r *redactor) err(err error) error {
	text := err.Error()
	if hidden := r.line(text); hidden != text {
		return redacted{hidden, err}
	}
	return err
}

// redacted is an error with other words.
type redacted struct {
	text string
	error
}

func (e redacted) Error() string { return e.text }

func (e redacted) Unwrap() error { return e.error }

func (r *redactor) line(s string) string {
	for _, n := range r.needles {
		s = strings.ReplaceAll(s, n, Hidden)
	}
	return s
}
