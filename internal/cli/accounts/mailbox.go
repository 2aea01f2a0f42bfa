package accounts

import (
	"context"
	"net"

	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/transport"
)

// OpenMailbox logs in to the account's mailbox.
func (a *Accounts) OpenMailbox(ctx context.Context, id *Identity) (*imapclient.Mailbox, error) {
	cfg, err := accountroute.MailboxOf(ctx, id.Account, id.Secrets)
	if err == nil && cfg.Dialer == nil {
		cfg.Dialer, err = a.mailboxDialer(cfg)
	}
	if err != nil {
		return nil, err
	}
	return imapclient.Open(ctx, cfg)
}

// mailboxDialer returns a dialer through ALL_PROXY, as for the SMTP server; nil for direct
// connections.
func (a *Accounts) mailboxDialer(cfg imapclient.Config) (func(context.Context, string, string) (net.Conn, error), error) {
	proxy, err := a.SystemProxy(transport.Server{Host: cfg.Host, Port: cfg.Port})
	if err != nil || proxy == "" {
		return nil, err
	}
	dialer, err := transport.ProxyDialer(proxy, nil)
	if err != nil {
		return nil, err
	}
	return dialer.DialContext, nil
}
