package sendcmd

import (
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/message"
)

// introduce adds the account's settings to a composed message: the sender, Reply-To, header fields
// and the signature.
func (a *sendCommand) introduce(m *message.Message, acc account.Account, noSignature bool) error {
	if m.From == "" {
		m.From = acc.From
	}
	if len(m.ReplyTo) == 0 && acc.ReplyTo != "" {
		m.ReplyTo = []string{acc.ReplyTo}
	}
	for _, h := range acc.Headers {
		if !hasHeader(m.Headers, h.Name) {
			m.Headers = append(m.Headers, message.Header(h))
		}
	}
	if noSignature {
		return nil
	}
	signature, err := a.signatureText(acc)
	if err != nil || signature == "" {
		return err
	}
	// Mail programs recognise the signature by the line "-- " (RFC 3676 section 4.3).
	if m.Text != "" || m.HTML == "" {
		if m.Text != "" && !strings.HasSuffix(m.Text, "\n") {
			m.Text += "\n"
		}
		m.Text += "\n-- \n" + signature + "\n"
	}
	if m.HTML != "" {
		m.HTML = withSignature(m.HTML, signature)
	}
	return nil
}

func hasHeader(list []message.Header, name string) bool {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// signatureText returns the account's signature without trailing line ends.
func (a *sendCommand) signatureText(acc account.Account) (string, error) {
	text := acc.Signature
	if acc.SignatureFile != "" {
		name := acc.File(acc.SignatureFile)
		var err error
		if text, err = a.ReadText(name, command.MaxText); err != nil {
			return "", a.FileFailure(a.T("account %s: %s", acc.Name, "signature_file"), name, err)
		}
	}
	if text == "" {
		return "", nil
	}
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	text = strings.TrimPrefix(text, "-- \n") // mutt's files begin with it
	return text, a.Text(a.T("account %s: %s", acc.Name, "signature"), text)
}

// withSignature adds a signature at the end of the body of an HTML page.
func withSignature(html, signature string) string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "<br>\n")
	block := "<p>-- <br>\n" + escape.Replace(signature) + "</p>\n"
	for _, end := range []string{"</body>", "</html>"} {
		if i := strings.LastIndex(strings.ToLower(html), end); i >= 0 {
			return html[:i] + block + html[i:]
		}
	}
	return strings.TrimRight(html, "\n") + "\n" + block
}
