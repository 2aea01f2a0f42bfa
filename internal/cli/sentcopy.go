package cli

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// sentCopies puts copies of what was sent into the Sent folder. What goes wrong
// there changes nothing about what was sent; it is told once, and not tried
// again in the same run.
type sentCopies struct {
	account string              // whose mailbox it is
	mailbox *imapclient.Mailbox // nil before the first copy, and where it can't be had
	err     error
}

// close says goodbye to the mailbox.
func (c *sentCopies) close() {
	if c.mailbox != nil {
		c.mailbox.Close()
		c.mailbox = nil
	}
}

// keepCopy saves a copy of a message that somebody got now, if the account wants it, and
// tells where it is. What became of the message was told before, unless another account
// is to send it to others.
func (r *delivery) keepCopy(ctx context.Context, j *job, result yan.Result) {
	id := r.s.id
	accepted := slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted })
	if id == nil || !accepted || j.content == nil || !id.KeepsSent() {
		return
	}
	if r.copies.account != id.Name {
		r.copies.close()
		r.copies = sentCopies{account: id.Name}
		if r.copies.mailbox, r.copies.err = r.a.openMailbox(ctx, id); r.copies.err != nil {
			r.tellNoCopy(r.copies.err)
		}
	}
	folder := ""
	if r.copies.err == nil {
		if folder, r.copies.err = r.copies.mailbox.Append(ctx, j.content, r.a.Now()); r.copies.err != nil {
			r.tellNoCopy(r.copies.err)
		}
	}
	r.tellCopy(j, folder, r.copies.err)
}

// sentCopyJSON is what --json prints when a copy was saved, or was not.
type sentCopyJSON struct {
	Event     string `json:"event"` // "sent_copy"
	File      string `json:"file,omitempty"`
	Number    int    `json:"number,omitempty"`
	Account   string `json:"account"`
	MessageID string `json:"message_id,omitempty"`
	Folder    string `json:"folder,omitempty"`
	Error     string `json:"error,omitempty"`
}

// tellCopy says where the copy of a message is. What went wrong is told to people once,
// and to programs with each message.
func (r *delivery) tellCopy(j *job, folder string, err error) {
	switch {
	case r.s.json:
		told := sentCopyJSON{Event: "sent_copy", File: j.name, Number: j.number, Account: r.s.id.Name, MessageID: j.messageID, Folder: folder}
		if err != nil {
			told.Error = err.Error()
		}
		r.a.printJSON(told)
	case err == nil && !r.s.quiet && len(r.jobs) == 1:
		r.bar.around(r.a.StdoutWidth > 0, func() {
			r.a.outf("%s\n", r.a.paint(r.a.StdoutWidth, dim, "  "+r.a.T("copy in %s", folder)))
		})
	}
}

// openMailbox logs in to the account's mailbox.
func (a *app) openMailbox(ctx context.Context, id *identity) (*imapclient.Mailbox, error) {
	cfg, err := id.SentMailbox(ctx, id.secrets)
	if err == nil && cfg.Dialer == nil {
		cfg.Dialer, err = a.mailboxDialer(cfg)
	}
	if err != nil {
		return nil, err
	}
	return imapclient.Open(ctx, cfg)
}

// mailboxDialer goes the way that ALL_PROXY says, as to the SMTP server; nil goes
// directly.
func (a *app) mailboxDialer(cfg imapclient.Config) (func(context.Context, string, string) (net.Conn, error), error) {
	proxy, err := a.systemProxy(transport.Server{Host: cfg.Host, Port: cfg.Port})
	if err != nil || proxy == "" {
		return nil, err
	}
	return transport.ProxyDialer(proxy, nil)
}

// tellNoCopy says that the message was sent all the same.
func (r *delivery) tellNoCopy(err error) {
	why := visible(r.a.Say(err))
	var failed *imapclient.Error
	if errors.As(err, &failed) && len(failed.Folders) > 0 {
		why += "; " + r.a.T("there are %s", r.a.listed(failed.Folders))
	}
	if s := (*secret.Error)(nil); errors.As(err, &s) {
		why = r.a.badSecret(r.s.id.Account, err).Error()
	}
	text := r.a.T("The message was sent, but no copy was saved in the Sent folder: %s", why)
	if errors.Is(err, imapclient.ErrUnknown) {
		text = r.a.T("The message was sent; whether the copy in the Sent folder was saved is not known: %s", why)
	}
	r.bar.around(true, func() { r.a.errf("%s\n", text) })
}
