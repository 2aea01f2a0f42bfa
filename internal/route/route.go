// Package route applies the configuration of this user to the outbox: which outbox is
// meant ([Place]), and how each account sends ([Router]).
package route

import (
	"cmp"
	"context"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
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

// Router finds how accounts send. It is for many goroutines, as long as nobody
// changes the file.
//
// Fallbacks are not followed: what waits in the outbox waits until its own account
// can send again.
type Router struct {
	File    *account.File
	Secrets *account.Secrets
}

// Find is delivery.Options.Route; "" is the default account. No secret is read before
// the route is opened. The error is an *account.UnknownAccountError, account.ErrNone or an
// *account.ParseError where it is about that.
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
		Open: func(ctx context.Context, connections int) (delivery.Sender, error) {
			return r.open(ctx, a, connections)
		},
		Provider:        p.ID,
		Connections:     a.Connections,
		MostConnections: most(p),
		Pace:            pace(a.Pace, p),
		Doubt:           delivery.Policy(cmp.Or(a.InDoubt, o.InDoubt)),
		ReportFrom:      own,
		Owns:            a.Serves,
	}
	if a.KeepsSent() {
		route.Mailbox = func(ctx context.Context) (delivery.Mailbox, error) { return r.mailbox(ctx, a) }
	}
	to, report := o.ReportTo()
	route.ReportTo, route.NoReport = to, !report
	if mailbox, err := a.Mailbox(); err == nil && mailbox.Host != "" {
		route.Sent = func(ctx context.Context) (delivery.SentFolder, error) { return r.sent(ctx, a) }
		route.Keeps = keeps(a, p)
	}
	return route, nil
}

// open reads the secret and makes the transport, which connects to nothing yet.
func (r Router) open(ctx context.Context, a account.Account, connections int) (delivery.Sender, error) {
	o, err := a.Options(ctx, r.Secrets)
	if err != nil {
		return nil, sentence.Errorf("account %s: %w", a.Name, err)
	}
	o.MaxConnections = connections
	t, err := transport.Open(a.Server, o)
	if err != nil {
		return nil, sentence.Errorf("account %s: %w", a.Name, err)
	}
	return t, nil
}

// sent logs in to where copies of what was handed over are looked for.
func (r Router) sent(ctx context.Context, a account.Account) (delivery.SentFolder, error) {
	c, err := a.SentMailbox(ctx, r.Secrets)
	if err != nil {
		return nil, err
	}
	opened, err := imapclient.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return sentFolder{opened}, nil
}

// mailbox logs in to where copies of what was handed over go.
func (r Router) mailbox(ctx context.Context, a account.Account) (delivery.Mailbox, error) {
	c, err := a.SentMailbox(ctx, r.Secrets)
	if err != nil {
		return nil, err
	}
	opened, err := imapclient.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return sentFolder{opened}, nil
}

// sentFolder is the Sent folder of a mailbox that is open.
type sentFolder struct{ opened *imapclient.Mailbox }

func (f sentFolder) Append(ctx context.Context, m delivery.Copy, sent time.Time) error {
	_, err := f.opened.Append(ctx, m, sent)
	return err
}

func (f sentFolder) Find(ctx context.Context, messageID string) (delivery.Sighting, error) {
	seen, err := f.opened.Find(ctx, messageID)
	return delivery.Sighting(seen), err
}

func (f sentFolder) Close() { f.opened.Close() }

// most is how many connections the provider allows; 0 where that is not known well
// enough to act upon.
func most(p provider.Provider) int {
	if l := p.Limits.Connections; l.Status == provider.Official || l.Status == provider.Verified {
		return int(l.Value)
	}
	return 0
}

// keeps reports whether a message that is not in the Sent folder was not handed
// over. It takes the provider's own word for that, and the folder that it means: a
// mistake here would be a second copy. A message under another Message-ID may be there
// and not be found.
func keeps(a account.Account, p provider.Provider) bool {
	return p.Traits[provider.KeepsSentCopy] == provider.Official && !p.Has(provider.NewMessageID) && a.IMAP == "" && a.SentFolder == ""
}

// pace is that of the account, where one is set, or else what its provider is known to
// allow.
func pace(set account.Pace, p provider.Provider) outbox.Pace {
	if set.Messages > 0 {
		return bucket(set.Messages, set.Per)
	}
	for _, known := range []struct {
		limit provider.Limit
		per   time.Duration
	}{{p.Limits.PerSecond, time.Second}, {p.Limits.PerMinute, time.Minute}} {
		if l := known.limit; l.Value > 0 && (l.Unit == "" || l.Unit == "messages") && (l.Status == provider.Official || l.Status == provider.Verified) {
			return bucket(int(l.Value), known.per)
		}
	}
	return outbox.Pace{}
}

// bucket lets no more than that many messages through in any such time: a fiftieth of
// them at once, so that a fast pace is not a claim for each message, and the rest evenly.
// What it holds and what flows in meanwhile are together what may be sent. Where
// messages follow each other fast, a claim may be late by a quarter of what is between
// two, for which the time is that much longer.
func bucket(messages int, per time.Duration) outbox.Pace {
	burst := max(1, messages/50)
	p := outbox.Pace{Messages: messages - burst + 1, Per: per, Burst: burst}
	if interval := per / time.Duration(messages); messages >= 10 && interval < time.Second {
		p.Slack = interval / 4
		p.Per += p.Slack
	}
	return p
}
