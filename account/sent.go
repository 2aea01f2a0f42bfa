package account

import (
	"context"
	"crypto/tls"
	"net/url"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// mechanism is the name of a SASL mechanism as package sasl writes it.
func mechanism(s string) string {
	for _, known := range sasl.Mechanisms() {
		if strings.EqualFold(known, s) {
			return known
		}
	}
	return s
}

// KeepsSent reports whether a copy of what is sent has to be put into the Sent
// folder: not where the provider does that itself.
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

// Mailbox is where the Sent folder is, without the login. Its Host is "" when
// that is not known.
func (a Account) Mailbox() (imapclient.Config, error) {
	c := imapclient.Config{Folder: a.SentFolder}
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
		return c, sentence.New("want a URL like imaps://imap.example.com, or imap:// for STARTTLS")
	}
	if u.User != nil {
		return c, sentence.New("the login is that of the account: leave it out of the URL")
	}
	c.Host, c.StartTLS = u.Hostname(), u.Scheme == "imap"
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return c, sentence.Errorf("%q is no port", u.Port())
		}
	}
	return c, nil
}

// SentMailbox is Mailbox with the login of the account.
func (a Account) SentMailbox(ctx context.Context, s *Secrets) (imapclient.Config, error) {
	c, err := a.Mailbox()
	if err != nil {
		return c, err
	}
	if c.Host == "" {
		return c, sentence.New("the IMAP server is not known: set imap")
	}
	c.Auth.Username = a.mailboxUser()
	if a.UsesOAuth2() {
		tokens, err := s.Tokens(ctx, a)
		if err != nil {
			return c, err
		}
		c.Token = tokens.Access
	} else if c.Auth.Password, err = s.Password(ctx, a); err != nil {
		return c, err
	}
	return c, a.trust(&c)
}

// trust puts the account's authorities, client certificate and proxy into the
// configuration. Its pin is that of the SMTP server's certificate.
func (a Account) trust(c *imapclient.Config) (err error) {
	if a.TLSCA != "" {
		if c.Trust.Roots, err = smtpclient.LoadRoots(a.File(a.TLSCA)); err != nil {
			return err
		}
	}
	c.Trust.RSAKeyExchange = a.TLSRSAKeyExchange
	if a.TLSCert != "" {
		pair, err := smtpclient.LoadCertificate(a.File(a.TLSCert), a.File(a.TLSKey))
		if err != nil {
			return sentence.Errorf("reading the client certificate: %w", err)
		}
		c.Trust.Certificates = []tls.Certificate{pair}
	}
	if a.Proxy != "" {
		dialer, err := transport.ProxyDialer(a.Proxy, nil)
		if err != nil {
			return err
		}
		c.Dialer = dialer.DialContext
	}
	return nil
}

// mailboxUser is the login name there, which a provider may want in another form
// than its SMTP server.
func (a Account) mailboxUser() string {
	address, err := a.Address()
	if err != nil || a.User != "" || a.IMAP != "" {
		return a.key(itemPassword).User
	}
	p := a.Provider()
	if where, ok := p.IMAPFor(address.ASCIIDomain()); ok && where.Username == "localpart" {
		return address.Local()
	}
	return a.key(itemPassword).User
}
