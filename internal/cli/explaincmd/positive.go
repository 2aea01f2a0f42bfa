package explaincmd

import (
	"encoding/base64"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// explainPositive explains a 2yz or 3yz reply to users who type SMTP by hand (RFC
// 5321 section 4.2, RFC 4954 section 4).
func (a *runner) explainPositive(r smtp.Reply) string {
	switch r.Code {
	case 334:
		return a.explainChallenge(strings.TrimSpace(strings.Join(r.Lines, "")))
	case 354:
		return a.T("The server waits for the message: send its header, an empty line and its text, then a line with a single dot.")
	case 220:
		return a.T("The server is ready. As a greeting: send EHLO next. After STARTTLS: begin the TLS handshake.")
	case 221:
		return a.T("The server says goodbye: it is the answer to QUIT, and nothing has failed.")
	case 235:
		return a.T("The login worked. Send MAIL FROM next.")
	case 250:
		return a.T("The command was carried out. After the message's final dot it means: the server has taken the message.")
	case 251:
		return a.T("The recipient was accepted; the server passes the mail on to another address.")
	case 252:
		return a.T("The server does not say whether this mailbox exists, but takes mail for it.")
	}
	return a.T("This is a success reply; nothing failed.")
}

// explainChallenge decodes the base64 of a 334. A prompt for the user name or password
// is explained; any other is shown.
func (a *runner) explainChallenge(encoded string) string {
	if encoded == "" {
		return a.T("The server waits for the first part of the login, in base64.")
	}
	octets, err := base64.StdEncoding.DecodeString(encoded)
	text := smtp.DecodeText(octets)
	if err != nil || strings.ContainsRune(text, '\uFFFD') {
		return a.T("The server waits for the next part of the login, in base64.")
	}
	word := strings.ToLower(text)
	switch {
	case strings.HasPrefix(word, "user"):
		return a.T("The server asks for your user name: %s is base64 of %q. Answer with the user name, in base64.", encoded, text)
	case strings.HasPrefix(word, "pass"):
		return a.T("The server asks for your password (authorization code): %s is base64 of %q. Answer with it, in base64.", encoded, text)
	case strings.HasPrefix(text, "{"):
		return a.T("The server refused the token: %s. Answer with an empty line; the reply that refuses the login follows.", text)
	}
	return a.T("The server sends a challenge of the login: %s is base64 of %q. The mechanism says how to answer it.", encoded, text)
}
