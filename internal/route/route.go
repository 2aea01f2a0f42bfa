// Package route is what the configuration of this user means for the outbox: where
// that is ([Store]), and how each account sends ([Router]).
package route

import (
	"cmp"
	"context"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Store opens the outbox of a configuration, or that of $YAN_OUTBOX.
func Store(ctx context.Context, f *account.File, s *account.Secrets, getenv func(string) string) (outbox.Store, error) {
	if p := f.OutboxFault(); p != nil {
		return nil, p
	}
	where, err := f.Outbox().Where(ctx, s, getenv)
	if err != nil {
		return nil, err
	}
	return stores.Open(ctx, where, StoreOptions(f.Outbox()))
}

// StoreOptions are those that the configuration has for a store.
func StoreOptions(o account.Outbox) outbox.Options {
	if o.MinFree == 0 {
		return outbox.Options{MinFree: -1} // 0 is the default there
	}
	return outbox.Options{MinFree: o.MinFree}
}

// Retention is how long things are kept.
func Retention(o account.Outbox) outbox.Retention {
	return outbox.Retention{Bodies: o.KeepBodies, Messages: o.KeepMessages}
}

// Router finds how accounts send. It is for many goroutines, as long as nobody
// changes the file.
//
// Fallbacks are not followed: what waits in the outbox waits until its own account
// can send again. No copy is put into a Sent folder either.
type Router struct {
	File    *account.File
	Secrets *account.Secrets
}

// Find is delivery.Options.Route; "" is the default account. No secret is read before
// the route is opened. The error is an *account.UnknownError, account.ErrNone or an
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
		Pace:            pace(a.Pace),
		Doubt:           delivery.Policy(cmp.Or(a.InDoubt, o.InDoubt)),
		ReportFrom:      own,
	}
	to, report := o.ReportTo()
	route.ReportTo, route.NoReport = to, !report
	if mailbox, err := a.Mailbox(); err == nil && mailbox.Host != "" {
		route.Find = func(ctx context.Context, messageID string) (bool, error) { return r.search(ctx, a, messageID) }
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

func (r Router) search(ctx context.Context, a account.Account, messageID string) (bool, error) {
	c, err := a.SentMailbox(ctx, r.Secrets)
	if err != nil {
		return false, err
	}
	return imapclient.Search(ctx, c, messageID)
}

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

// pace is a bucket that lets no more than that many messages through in any such time:
// a tenth of them at once, the rest evenly. What it holds and what flows in
// meanwhile are together what the account may send.
func pace(p account.Pace) outbox.Pace {
	if p.Messages <= 0 {
		return outbox.Pace{}
	}
	burst := max(1, p.Messages/10)
	return outbox.Pace{Messages: p.Messages - burst + 1, Per: p.Per, Burst: burst}
}
