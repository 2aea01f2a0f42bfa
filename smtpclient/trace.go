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

// Direction is the sender of a line of the conversation, or the kind of another event.
type Direction int

const (
	// Sent is a line of the client.
	Sent Direction = iota
	// Received is a line of the server.
	Received
	// Connected: the connection is open. Text is the address of the other end.
	Connected
	// Secured: the TLS handshake is complete. Text is the version, the cipher suite and the
	// result of the certificate check.
	Secured
	// MessageSent: the last octet of the message was passed to the kernel. Text is the number of
	// octets.
	MessageSent
	// Redialing: the connection ended or stayed silent before the server's first octet of TLS,
	// and is dialed again with a smaller ClientHello.
	Redialing
	// Waiting: the server has not greeted for some time. Wait is how much longer it may take.
	Waiting
)

// Event is one line of the conversation.
type Event struct {
	At        time.Time
	Direction Direction
	// Text is the line without its line end. AUTH exchanges are replaced by [Hidden], and so is a
	// secret that a server repeats.
	Text string
	// Wait is a duration: for the first line of a reply since the last octet sent, for Secured
	// and MessageSent since the start of the handshake or the message; 0 otherwise.
	Wait time.Duration
	// Handshake holds the details of a Secured event; nil for any other.
	Handshake *Handshake
}

// Handshake describes a TLS handshake.
type Handshake struct {
	Version, CipherSuite string // as crypto/tls names them
	// KeyExchange is the group of the key exchange, like "X25519MLKEM768", or "RSA".
	KeyExchange string
	// NoForwardSecrecy: a recording of the connection can be decrypted with the server's key.
	// This is true only of an RSA key exchange.
	NoForwardSecrecy bool
	// Name is the name for which the server's certificate was verified; "" if the certificate is
	// pinned, and its name not checked.
	Name string
}

// String returns the text of the event.
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

// Hidden replaces a secret in a trace.
const Hidden = "****"

// redactor hides secrets in the server's replies. Short secrets, which would match by chance, are
// not searched for; the rule that hides AUTH exchanges completely covers them.
type redactor struct{ needles []string }

// minNeedle is the minimum length of a secret that is searched for in replies.
const minNeedle = 4

func newRedactor(c *sasl.Credentials) redactor {
	var r redactor
	if c == nil {
		return r
	}
	for _, secret := range c.Secrets() {
		r.addNeedle(secret, minNeedle)
		r.hideResponse(base64.StdEncoding.EncodeToString([]byte(secret)))
		r.hideResponse(base64.StdEncoding.EncodeToString([]byte(c.AuthorizationID + "\x00" + c.Username + "\x00" + secret)))
		// A server that answers in GBK repeats a Chinese secret in GBK, too, which is shorter
		// than UTF-8.
		gbk, err := simplifiedchinese.GB18030.NewEncoder().String(secret)
		if err == nil && gbk != secret && len(secret) >= minNeedle {
			r.addNeedle(gbk, 1)
		}
	}
	return r
}

// hideResponse adds a base64 line of an AUTH exchange, which is as secret as the credentials in
// it.
func (r *redactor) hideResponse(line string) {
	r.addNeedle(line, base64.StdEncoding.EncodedLen(minNeedle))
}

// addNeedle adds a needle of at least atLeast octets. The longest come first, so that no shorter one
// splits them.
func (r *redactor) addNeedle(needle string, atLeast int) {
	if len(needle) < atLeast || slices.Contains(r.needles, needle) {
		return
	}
	r.needles = append(r.needles, needle)
	slices.SortStableFunc(r.needles, func(a, b string) int { return len(b) - len(a) })
}

// redactOctets is redactLine for bytes, without a conversion to string.
func (r *redactor) redactOctets(b []byte) []byte {
	if len(r.needles) == 0 {
		return b
	}
	return []byte(r.redactLine(string(b)))
}

// redactError hides secrets in an error about a line. Quoting may form a secret that the line itself did
// not contain.
func (r *redactor) redactError(err error) error {
	text := err.Error()
	if hidden := r.redactLine(text); hidden != text {
		return redacted{hidden, err}
	}
	return err
}

// redacted is an error with another text.
type redacted struct {
	text string
	error
}

func (e redacted) Error() string { return e.text }

func (e redacted) Unwrap() error { return e.error }

func (r *redactor) redactLine(s string) string {
	for _, n := range r.needles {
		s = strings.ReplaceAll(s, n, Hidden)
	}
	return s
}
