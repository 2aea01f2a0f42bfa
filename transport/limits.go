package transport

import (
	"sync/atomic"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// limits are the known limits of the server: from the facts about its provider, and from its
// replies when a limit was exceeded. Learned limits last as long as the transport. 0 means that
// no limit is known.
type limits struct {
	perConnection atomic.Int64 // transactions on one connection
	recipients    atomic.Int64 // of one transaction
	// ended is the number of transactions after which a server last ended a connection. One 421
	// may be a restart; the same number twice is a limit.
	ended atomic.Int64
}

// firm returns a limit's number if it is reliable: from the provider's own page, or from several
// sources. It is 0 otherwise.
func firm(l provider.Limit) int {
	if l.Status == provider.Official || l.Status == provider.Verified {
		return int(l.Value)
	}
	return 0
}

// factual sets the limits known before the first connection.
func (l *limits) factual(facts provider.Limits) {
	l.perConnection.Store(int64(firm(facts.PerConnection)))
	l.recipients.Store(int64(firm(facts.Recipients)))
}

// with returns the limits for a connection whose server announced some itself.
func (l *limits) with(announced smtp.Limits) smtp.Limits {
	announced.Transactions = least(announced.Transactions, int(l.perConnection.Load()))
	announced.Recipients = least(announced.Recipients, int(l.recipients.Load()))
	return announced
}

// least returns the smaller of two limits, of which 0 means none.
func least(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// tookOnOneConnection records that n transactions were the maximum of one connection.
func (l *limits) tookOnOneConnection(n int) { lower(&l.perConnection, n) }

// endedAfter records that a connection was unusable after n transactions.
func (l *limits) endedAfter(n int) {
	if l.ended.Swap(int64(n)) == int64(n) {
		lower(&l.perConnection, n)
	}
}

// tookRecipients records that n recipients were the maximum of one transaction.
func (l *limits) tookRecipients(n int) { lower(&l.recipients, n) }

func lower(bound *atomic.Int64, n int) {
	for {
		old := bound.Load()
		if bound.CompareAndSwap(old, int64(least(int(old), n))) {
			return
		}
	}
}
