package explaincmd

import (
	"encoding/base64"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// explainPositive explains a 2yz or 3yz reply to users who type SMTP by hand (RFC
// 5321 section 4.2, RFC 4954 section 4).
func (a *explainCommand) explainPositive(r smtp.Reply) string {
	switch r.Code {
	case 334:
		return a.explainChallenge(strings.TrimSpace(strings.Join(r.Lines, "")))
	case 354:
		return a.T("The server is waiting for the message: send its header, an empty line and its text, then a line with a single dot.")
	case 220:
		return a.T("The server is ready. If this is the greeting, send EHLO next; after STARTTLS, start the TLS handshake.")
	case 221:
		return a.T("This is the goodbye reply to QUIT; nothing failed.")
	case 235:
		return a.T("The login succeeded. Send MAIL FROM next.")
	case 250:
		return a.T("The command succeeded. After the message's final dot, this means the server accepted the message.")
	case 251:
		return a.T("The recipient was accepted; the server will forward the mail to another address.")
	case 252:
		return a.T("The server does not say whether this mailbox exists, but accepts mail for it.")
	}
	return a.T("This is a success reply; nothing failed.")
}

// explainChallenge decodes the base64 of a 334. A prompt for the user name or password
// is explained; any other is shown.
func (a *explainCommand) explainChallenge(encoded string) string {
	if encoded == "" {
		return a.T("The server is waiting for the first part of the login, in base64.")
	}
	octets, err := base64.StdEncoding.DecodeString(encoded)
	text := smtp.DecodeText(octets)
	if err != nil || strings.ContainsRune(text, '\uFFFD') {
		return a.T("The server is waiting for the next part of the login, in base64.")
	}
	word := strings.ToLower(text)
	switch {
	case strings.HasPrefix(word, "user"):
		return a.T("The server asks for your user name: %s is base64 for %q. Reply with the user name, in base64.", encoded, text)
	case strings.HasPrefix(word, "pass"):
		return a.T("The server asks for your password (authorization code): %s is base64 for %q. Reply with it, in base64.", encoded, text)
	case strings.HasPrefix(text, "{"):
		return a.T("The server refused the token: %s. Reply with an empty line; the server then refuses the login.", text)
	}
	return a.T("The server sends a login challenge: %s is base64 for %q. The reply depends on the mechanism.", encoded, text)
}
