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

// reliableLimit returns a limit's number if it is reliable: from the provider's own page, or from several
// sources. It is 0 otherwise.
func reliableLimit(l provider.Limit) int {
	if l.Status == provider.Official || l.Status == provider.Verified {
		return int(l.Value)
	}
	return 0
}

// setKnown sets the limits known before the first connection.
func (l *limits) setKnown(facts provider.Limits) {
	l.perConnection.Store(int64(reliableLimit(facts.PerConnection)))
	l.recipients.Store(int64(reliableLimit(facts.Recipients)))
}

// withAnnounced returns the limits for a connection whose server announced some itself.
func (l *limits) withAnnounced(announced smtp.Limits) smtp.Limits {
	announced.Transactions = minLimit(announced.Transactions, int(l.perConnection.Load()))
	announced.Recipients = minLimit(announced.Recipients, int(l.recipients.Load()))
	return announced
}

// minLimit returns the smaller of two limits, of which 0 means none.
func minLimit(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// tookOnOneConnection records that n transactions were the maximum of one connection.
func (l *limits) tookOnOneConnection(n int) { lowerLimit(&l.perConnection, n) }

// endedAfter records that a connection was unusable after n transactions.
func (l *limits) endedAfter(n int) {
	if l.ended.Swap(int64(n)) == int64(n) {
		lowerLimit(&l.perConnection, n)
	}
}

// tookRecipients records that n recipients were the maximum of one transaction.
func (l *limits) tookRecipients(n int) { lowerLimit(&l.recipients, n) }

func lowerLimit(bound *atomic.Int64, n int) {
	for {
		old := bound.Load()
		if bound.CompareAndSwap(old, int64(minLimit(int(old), n))) {
			return
		}
	}
}
