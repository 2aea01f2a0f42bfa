package delivery

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// mostSuspects is how many messages in a row meet a reply that is about the account,
// each inside its own transaction, before the account is paused although all of them
// named the same recipient's domain, sender or text.
const mostSuspects = 4

// firstFix is how long an account rests first when messages met a reply inside
// their transactions that a person has to put right. It doubles up to afterFix.
const firstFix = 5 * time.Minute

// suspicion is what is known of replies inside transactions that may be about the
// whole account. Such a reply is first about its transaction: a server that closes the
// connection at one recipient would otherwise stop all the others. The account is paused when
// a different message meets the same and none got through in between.
type suspicion struct {
	class    string
	named    map[string]bool // what the server answered about
	messages map[queue.ID]bool
	pauses   int // of the account, since a message got through
}

// suspect notes that a message met a reply that may be about the account. It gives
// how long the account is to rest, of the time that the reply asks for; 0 is not at all.
//
// After each pause two messages are tried again, and where only a person can put things
// right the first pauses are shorter: a relay that refuses strangers still takes what is
// for its own users.
func (d *Delivery) suspect(account string, id queue.ID, v verdict, named string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.suspects[account]
	if s == nil {
		s = &suspicion{messages: map[queue.ID]bool{}}
		d.suspects[account] = s
	}
	if s.class != v.answer.Class || s.named == nil {
		s.class, s.named = v.answer.Class, map[string]bool{}
	}
	s.messages[id], s.named[named] = true, true
	if len(s.messages) < 2 || len(s.named) < 2 && len(s.messages) < mostSuspects {
		return 0
	}
	rest := v.rest
	if v.fix {
		rest = min(rest, firstFix<<min(s.pauses, 10))
	}
	s.pauses++
	s.named, s.messages = nil, map[queue.ID]bool{}
	return rest
}

// clear ends a suspicion: a message got through.
func (d *Delivery) clear(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.suspects, account)
}

// named is what a reply inside a transaction was about: the domain of the
// recipient at RCPT, the sender at MAIL where that is not the account's own, the
// message otherwise.
func (c *courier) named(p *parcel, r outbox.LeasedRecipient, stage smtp.Stage) string {
	switch {
	case stage == smtp.StageRcpt:
		return "to " + r.Address.ASCIIDomain()
	case stage == smtp.StageMail && !c.route.ReportFrom.IsZero() && p.item.From != c.route.ReportFrom:
		return "from " + p.item.From.String()
	case p.item.MessageID != "":
		return p.item.MessageID
	}
	return p.item.ID.String()
}

// restHere lets an account rest in this process only: its fault may be this
// machine's own, and others may be able to send.
func (d *Delivery) restHere(account string, rest time.Duration, why queue.Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rests[account] = Rest{Account: account, Until: d.o.Now().Add(rest), Answer: why, resumed: d.resumed[account]}
}

// Rest is an account that is not used by this process for a while, because of a fault
// that may be this machine's own: a file that is missing, a name that is not found, a server
// that can't be reached.
type Rest struct {
	Account string
	Until   time.Time
	Answer  queue.Answer
	resumed int64 // outbox.Due.Resumed when it began
}
