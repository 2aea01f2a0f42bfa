package accountroute

import (
	"context"
	"crypto/tls"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// MailboxOf returns the mailbox of an account's Sent folder, with its login.
func MailboxOf(ctx context.Context, a account.Account, s account.Secrets) (imapclient.Config, error) {
	m, err := a.Mailbox()
	c := imapclient.Config{Host: m.Host, Port: m.Port, StartTLS: m.StartTLS, Folder: m.Folder}
	if err != nil {
		return c, err
	}
	if c.Host == "" {
		return c, localerr.New("unknown IMAP server: set imap")
	}
	if s == nil {
		s = account.SystemSecrets()
	}
	c.Auth.Username = mailboxUser(a)
	if a.UsesOAuth2() {
		if c.Token, err = s.FreshToken(ctx, a); err != nil {
			return c, err
		}
	} else if c.Auth.Password, err = s.Password(ctx, a); err != nil {
		return c, err
	}
	return c, trust(a, &c)
}

// trust adds the account's authorities, client certificate and proxy. Its pin is for the
// SMTP server's certificate alone.
func trust(a account.Account, c *imapclient.Config) (err error) {
	if a.TLSCA != "" {
		if c.Trust.Roots, err = smtpclient.LoadRoots(a.File(a.TLSCA)); err != nil {
			return err
		}
	}
	c.Trust.RSAKeyExchange = a.TLSRSAKeyExchange
	if a.TLSCert != "" {
		pair, err := smtpclient.LoadCertificate(a.File(a.TLSCert), a.File(a.TLSKey))
		if err != nil {
			return localerr.Errorf("reading the client certificate: %w", err)
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

// mailboxUser returns the login name of the mailbox, which a provider may want in another
// form than its SMTP server.
func mailboxUser(a account.Account) string {
	_, user, _, _ := a.LoginKey()
	address, err := a.Address()
	if err != nil || a.User != "" || a.IMAP != "" {
		return user
	}
	p := a.Provider()
	if where, ok := p.IMAPFor(address.ASCIIDomain()); ok && where.Username == "localpart" {
		return address.Local()
	}
	return user
}
