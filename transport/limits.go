package transport

import (
	"sync"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// limits is how much the server takes at a time, as far as it is known: from
// the facts about its provider, and from what it said when it was too much. What
// was learnt holds as long as the transport.
type limits struct {
	mu            sync.Mutex
	perConnection int // transactions on one connection; 0 means no bound is known
	recipients    int // of one transaction; 0 means no bound is known
	// ended is after how many transactions a 421 ended a connection last. One
	// may be a server's restart; the same number twice is a limit.
	ended int
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
	l.perConnection, l.recipients = firm(facts.PerConnection), firm(facts.Recipients)
}

// with is what holds on a connection whose server announced some limits itself.
func (l *limits) with(announced smtp.Limits) smtp.Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	announced.Transactions = least(announced.Transactions, l.perConnection)
	announced.Recipients = least(announced.Recipients, l.recipients)
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
func (l *limits) tookOnOneConnection(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perConnection = least(l.perConnection, n)
}

// endedAfter learns that the server said 421 to the MAIL behind n transactions.
func (l *limits) endedAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n == l.ended {
		l.perConnection = least(l.perConnection, n)
	}
	l.ended = n
}

// tookRecipients learns that n recipients of one transaction were all.
func (l *limits) tookRecipients(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recipients = least(l.recipients, n)
}
