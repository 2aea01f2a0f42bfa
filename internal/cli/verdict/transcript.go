package verdict

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/smtpclient"
)

// TraceSession prints the session as it happens: the client's lines after →, the server's after ←,
// with the time that the reply took.
func (a *Reporter) TraceSession(w io.Writer, width int) func(yan.Event) {
	return func(e yan.Event) {
		switch e.Direction {
		case smtpclient.Sent:
			_, _ = fmt.Fprintf(w, "%9s %s %s\n", "", a.Paint(width, console.Bold, "→"), e.Text)
		case smtpclient.Received:
			code := console.Green
			if strings.HasPrefix(e.Text, "4") || strings.HasPrefix(e.Text, "5") {
				code = console.Red
			}
			_, _ = fmt.Fprintf(w, "%s %s %s\n", a.Paint(width, console.Dim, fmt.Sprintf("%9s", FormatWait(e.Wait))), a.Paint(width, code, "←"), e.Text)
		default:
			_, _ = fmt.Fprintf(w, "%s %s\n", a.Paint(width, console.Dim, fmt.Sprintf("%9s", FormatWait(e.Wait))), a.Paint(width, console.Dim, "· "+a.remarkText(e)))
		}
	}
}

// remarkText returns the text of an event other than a line of the session.
func (a *Reporter) remarkText(e yan.Event) string {
	switch e.Direction {
	case smtpclient.Connected:
		return a.T("connected to %s", e.Text)
	case smtpclient.Redialing:
		return a.T("the server did not answer the TLS ClientHello; retrying with a smaller one, without X25519MLKEM768")
	case smtpclient.Waiting:
		return a.T("no greeting yet; waiting up to %s", a.Roughly(e.Wait))
	case smtpclient.Secured:
		return a.T("encrypted: %s", a.handshakeText(e))
	default:
		return a.T("the message, %s octets", e.Text)
	}
}

// handshakeText describes the parameters of TLS.
func (a *Reporter) handshakeText(e yan.Event) string {
	h := e.Handshake
	if h == nil {
		return e.Text
	}
	text := a.T("%s, %s, certificate of %s verified", h.Version, h.CipherSuite, h.Name)
	if h.Name == "" {
		text = a.T("%s, %s, the certificate matches the pin", h.Version, h.CipherSuite)
	}
	if h.NoForwardSecrecy {
		text = a.T("%s; RSA key exchange, without forward secrecy", text)
	}
	return text
}

// TraceWaiting prints on a terminal that yan waits for a silent server. It returns nil without a
// terminal.
func (a *Reporter) TraceWaiting(host string) func(yan.Event) {
	if a.StderrWidth == 0 {
		return nil
	}
	return func(e yan.Event) {
		if e.Direction == smtpclient.Waiting {
			a.Errf("%s\n", a.T("%s has not sent a greeting yet; waiting up to %s. Press Ctrl-C to stop.", host, a.Roughly(e.Wait)))
		}
	}
}

// FormatWait formats a duration; "" if none was measured.
func FormatWait(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return console.Duration(d)
}
