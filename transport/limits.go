package transport

import (
	"sync/atomic"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// limits is how much the server takes at a time, as far as it is known: from
// the facts about its provider, and from what it said when it was too much. What
// was learnt holds as long as the transport. 0 means that no bound is known.
type limits struct {
	perConnection atomic.Int64 // transactions on one connection
	recipients    atomic.Int64 // of one transaction
	// ended is after how many transactions a server ended the use of a connection
	// last. One 421 may be its restart; the same number twice is a limit.
	ended atomic.Int64
}

// firm is a limit's number where it is known well enough to act upon: from the
// provider's own page, or from several sources. It is 0 otherwise.
func firm(l provider.Limit) int {
	if l.Status == provider.Official || l.Status == provider.Verified {
		return int(l.Value)
	}
	return 0
}

// factual takes what is known before the first connection.
func (l *limits) factual(facts provider.Limits) {
	l.perConnection.Store(int64(firm(facts.PerConnection)))
	l.recipients.Store(int64(firm(facts.Recipients)))
}

// with is what holds on a connection whose server announced some limits itself.
func (l *limits) with(announced smtp.Limits) smtp.Limits {
	announced.Transactions = least(announced.Transactions, int(l.perConnection.Load()))
	announced.Recipients = least(announced.Recipients, int(l.recipients.Load()))
	return announced
}

// least is the smaller of two bounds, of which 0 is none.
func least(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// tookOnOneConnection learns that n transactions on one connection were all.
func (l *limits) tookOnOneConnection(n int) { lower(&l.perConnection, n) }

// endedAfter learns that a connection was of no more use after n transactions.
func (l *limits) endedAfter(n int) {
	if l.ended.Swap(int64(n)) == int64(n) {
		lower(&l.perConnection, n)
	}
}

// tookRecipients learns that n recipients of one transaction were all.
func (l *limits) tookRecipients(n int) { lower(&l.recipients, n) }

func lower(bound *atomic.Int64, n int) {
	for {
		old := bound.Load()
		if bound.CompareAndSwap(old, int64(least(int(old), n))) {
			return
		}
	}
}
