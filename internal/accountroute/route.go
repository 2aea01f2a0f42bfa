// Package accountroute applies the configuration of this user to the outbox: which outbox is
// meant ([Place]), and how each account sends ([Router]).
package accountroute

import (
	"cmp"
	"context"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// StoreOptions returns the options of a store as configured.
func StoreOptions(o account.Outbox) outbox.Options {
	if o.MinFree == 0 {
		return outbox.Options{MinFree: -1} // 0 is the default there
	}
	return outbox.Options{MinFree: o.MinFree}
}

// Retention returns how long finished messages are kept, as configured.
func Retention(o account.Outbox) outbox.Retention {
	return outbox.Retention{Bodies: o.KeepBodies, Messages: o.KeepMessages, Automatic: true}
}

// Router finds the routes of accounts. It is safe for concurrent use while the file is not changed.
//
// It does not follow fallbacks: queued messages wait until their own account can send again.
type Router struct {
	File    *account.File
	Secrets account.Secrets
}

// Find implements delivery.Options.Route; "" is the default account. It reads no secret before the
// route is opened. It returns an *account.UnknownAccountError, account.ErrNone or an
// *account.ParseError for these problems.
func (r Router) Find(_ context.Context, name string) (delivery.Route, error) {
	a, err := r.File.Choose(name, smtp.Address{})
	if err != nil {
		return delivery.Route{}, err
	}
	for _, p := range []*account.ParseError{r.File.FaultOf(a.Name), r.File.OutboxFault()} {
		if p != nil {
			return delivery.Route{}, p
		}
	}
	own, err := a.Address()
	if err != nil {
		return delivery.Route{}, err
	}
	o, p := r.File.Outbox(), a.Provider()
	route := delivery.Route{
		Open: func(ctx context.Context, connections int) (delivery.TransactionSender, error) {
			return r.openSender(ctx, a, connections)
		},
		Provider:        p.ID,
		Connections:     a.Connections,
		MostConnections: connectionLimit(p),
		Pace:            accountPace(a.Pace, p),
		Doubt:           delivery.DoubtPolicy(cmp.Or(a.InDoubt, o.InDoubt)),
		ReportFrom:      own,
		Owns:            a.Serves,
	}
	if a.KeepsSent() {
		route.Mailbox = func(ctx context.Context) (delivery.CopyFolder, error) { return r.openMailbox(ctx, a) }
	}
	to, report := o.ReportTo()
	route.ReportTo, route.NoReport = to, !report
	if mailbox, err := a.Mailbox(); err == nil && mailbox.Host != "" {
		route.Sent = func(ctx context.Context) (delivery.SentFolder, error) { return r.openSentFolder(ctx, a) }
		route.Keeps = keepsCopies(a, p)
	}
	return route, nil
}

// openSender reads the secret and opens the transport, which does not connect yet.
func (r Router) openSender(ctx context.Context, a account.Account, connections int) (delivery.TransactionSender, error) {
	o, err := a.Options(ctx, r.Secrets)
	if err != nil {
		return nil, localerr.Errorf("account %s: %w", a.Name, err)
	}
	o.MaxConnections = connections
	t, err := transport.Open(a.Server, o)
	if err != nil {
		return nil, localerr.Errorf("account %s: %w", a.Name, err)
	}
	return t, nil
}

// openSentFolder logs in to the mailbox in which copies of sent messages are looked for.
func (r Router) openSentFolder(ctx context.Context, a account.Account) (delivery.SentFolder, error) {
	c, err := MailboxOf(ctx, a, r.Secrets)
	if err != nil {
		return nil, err
	}
	opened, err := imapclient.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return sentFolder{opened}, nil
}

// openMailbox logs in to the mailbox that gets the copies of sent messages.
func (r Router) openMailbox(ctx context.Context, a account.Account) (delivery.CopyFolder, error) {
	c, err := MailboxOf(ctx, a, r.Secrets)
	if err != nil {
		return nil, err
	}
	opened, err := imapclient.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return sentFolder{opened}, nil
}

// sentFolder is the Sent folder of an open mailbox.
type sentFolder struct{ opened *imapclient.Mailbox }

func (f sentFolder) Append(ctx context.Context, m delivery.Copy, sent time.Time) error {
	_, err := f.opened.Append(ctx, m, sent)
	return err
}

func (f sentFolder) Find(ctx context.Context, messageID string) (delivery.FoundCopy, error) {
	seen, err := f.opened.Find(ctx, messageID)
	return delivery.FoundCopy(seen), err
}

func (f sentFolder) Close() { f.opened.Close() }

// connectionLimit returns how many connections the provider allows; 0 if that is not known reliably.
func connectionLimit(p provider.Provider) int {
	if l := p.Limits.Connections; l.Status == provider.Official || l.Status == provider.Verified {
		return int(l.Value)
	}
	return 0
}

// keepsCopies reports whether a message that is missing in the Sent folder was not sent. That requires an
// official statement of the provider, and its own folder: an error here would cause a second copy.
// A provider that changes the Message-ID is excluded, since the message would not be found.
func keepsCopies(a account.Account, p provider.Provider) bool {
	return p.Traits[provider.KeepsSentCopy] == provider.Official && !p.Has(provider.NewMessageID) && a.IMAP == "" && a.SentFolder == ""
}

// accountPace returns the account's pace if it is set, or else the provider's known limit.
func accountPace(set account.Pace, p provider.Provider) outbox.Pace {
	if set.Messages > 0 {
		return tokenBucket(set.Messages, set.Per)
	}
	for _, known := range []struct {
		limit provider.Limit
		per   time.Duration
	}{{p.Limits.PerSecond, time.Second}, {p.Limits.PerMinute, time.Minute}} {
		if l := known.limit; l.Value > 0 && (l.Unit == "" || l.Unit == "messages") && (l.Status == provider.Official || l.Status == provider.Verified) {
			return tokenBucket(int(l.Value), known.per)
		}
	}
	return outbox.Pace{}
}

// tokenBucket allows at most that many messages in any such interval: a fiftieth of them at once, so
// that a fast pace does not need a claim per message, and the rest evenly. The bucket's content and
// the tokens that arrive in the interval add up to the limit. If messages follow each other fast, a
// claim may be late by a quarter of the time between two; the interval is that much longer.
func tokenBucket(messages int, per time.Duration) outbox.Pace {
	burst := max(1, messages/50)
	p := outbox.Pace{Messages: messages - burst + 1, Per: per, Burst: burst}
	if interval := per / time.Duration(messages); messages >= 10 && interval < time.Second {
		p.Slack = interval / 4
		p.Per += p.Slack
	}
	return p
}
