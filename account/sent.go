package account

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
)

// mechanismName returns the name of a SASL mechanism in the form of package sasl.
func mechanismName(s string) string {
	for _, known := range sasl.Mechanisms() {
		if strings.EqualFold(known, s) {
			return known
		}
	}
	return s
}

// KeepsSent reports whether Yan must put a copy of each sent message into the Sent folder: not if
// the provider does that itself.
func (a Account) KeepsSent() bool {
	switch a.SaveSent {
	case SaveAlways:
		return true
	case SaveAuto:
		mailbox, err := a.Mailbox()
		return err == nil && mailbox.Host != "" && !a.Provider().Has(provider.KeepsSentCopy)
	}
	return false
}

// Mailbox is an IMAP server with the folder for copies of sent messages.
type Mailbox struct {
	Host     string // "" if unknown
	Port     int    // 0 means the default port
	StartTLS bool
	Folder   string // "" means the folder of special use Sent, or one with a common name
}

// Mailbox returns the mailbox of the Sent folder.
func (a Account) Mailbox() (Mailbox, error) {
	c := Mailbox{Folder: a.SentFolder}
	if a.IMAP == "" {
		p := a.Provider()
		address, err := a.Address()
		if err != nil {
			return c, err
		}
		where, _ := p.IMAPFor(address.ASCIIDomain())
		c.Host, c.Port, c.StartTLS = where.Host, where.Port, where.TLS == provider.StartTLS
		return c, nil
	}
	u, err := url.Parse(a.IMAP)
	if err != nil || u.Hostname() == "" || u.Scheme != "imaps" && u.Scheme != "imap" {
		return c, localerr.New("want a URL like imaps://imap.example.com, or imap:// for STARTTLS")
	}
	if u.User != nil {
		return c, localerr.New("the login is the account's: remove it from the URL")
	}
	c.Host, c.StartTLS = u.Hostname(), u.Scheme == "imap"
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return c, localerr.Errorf("invalid port %q", u.Port())
		}
	}
	return c, nil
}
