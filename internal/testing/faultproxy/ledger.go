package faultproxy

import (
	"fmt"
	"slices"
	"sync"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

// Ledger records the messages that a server accepted. The zero Ledger is empty.
type Ledger struct {
	mu      sync.Mutex
	times   map[ledgerEntry]int
	ids     map[string][]string // the queue ids of a message
	damaged []string
	whole   func(name string, data []byte) bool
}

// ledgerEntry is one recipient of one message.
type ledgerEntry struct{ message, recipient string }

// NewLedger returns a ledger. whole reports whether the data of a message is complete; nil accepts
// all data.
func NewLedger(whole func(name string, data []byte) bool) *Ledger {
	return &Ledger{times: map[ledgerEntry]int{}, ids: map[string][]string{}, whole: whole}
}

// Committed records a message; it is made for the sandbox's Config.Committed.
func (l *Ledger) Committed(m sandbox.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, ok := NameOf(m.Data)
	if !ok || l.whole != nil && !l.whole(name, m.Data) {
		l.damaged = append(l.damaged, fmt.Sprintf("message %q came damaged: %d octets, to %q", name, len(m.Data), m.To))
	}
	l.ids[name] = append(l.ids[name], m.ID)
	for _, to := range m.To {
		l.times[ledgerEntry{name, to}]++
	}
}

// Times returns how often a recipient received a message.
func (l *Ledger) Times(message string, to smtp.Address) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times[ledgerEntry{message, to.Wire()}]
}

// IDs returns the queue ids under which a message was accepted.
func (l *Ledger) IDs(message string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids[message])
}

// Deliveries counts the copies delivered to all recipients.
func (l *Ledger) Deliveries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, times := range l.times {
		n += times
	}
	return n
}

// ServedRecipient counts the copies of a message that a recipient received.
type ServedRecipient struct {
	Message, To string
	Times       int
}

// Served lists all recipients that received a message, in no order.
func (l *Ledger) Served() []ServedRecipient {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]ServedRecipient, 0, len(l.times))
	for e, times := range l.times {
		all = append(all, ServedRecipient{e.message, e.recipient, times})
	}
	return all
}

// Damaged describes the messages that arrived incomplete or changed.
func (l *Ledger) Damaged() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.damaged)
}

// ReportedOutcomes holds the outcomes that the client reports, by message name.
type ReportedOutcomes map[string][]smtp.Outcome

// Contradictions lists, in a stable order, the outcomes that disagree with the ledger. The server
// must have finished.
func (l *Ledger) Contradictions(told ReportedOutcomes) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := slices.Clone(l.damaged)
	known := map[ledgerEntry]bool{}
	for name, outcomes := range told {
		for _, o := range outcomes {
			e := ledgerEntry{name, o.Recipient.Wire()}
			times := l.times[e]
			if known[e] {
				wrong = append(wrong, fmt.Sprintf("%s, %s: two outcomes", name, o.Recipient))
			}
			known[e] = true
			switch {
			case !slices.Contains(smtp.Statuses(), o.Status):
				wrong = append(wrong, fmt.Sprintf("%s, %s: no outcome: %q", name, o, o.Status))
			case times > 1:
				wrong = append(wrong, fmt.Sprintf("%s, %s: delivered %d times", name, o, times))
			case o.Status == smtp.Accepted && times == 0:
				wrong = append(wrong, fmt.Sprintf("%s, %s: not in the ledger", name, o))
			case o.Status != smtp.Accepted && o.Status != smtp.Unknown && times > 0:
				wrong = append(wrong, fmt.Sprintf("%s, %s: but it is in the ledger", name, o))
			}
		}
	}
	for e := range l.times {
		if !known[e] {
			wrong = append(wrong, fmt.Sprintf("%s, %s: in the ledger, and nobody sent it there", e.message, e.recipient))
		}
	}
	slices.Sort(wrong)
	return wrong
}
