package delivery

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// mostSuspects is how many messages in a row must get a reply about the account, each in its
// own transaction, before the account is paused even if all of them have the same recipient's
// domain, sender or text.
const mostSuspects = 4

// firstFix is the first pause of an account after replies inside transactions that a user must
// correct. It doubles up to afterFix.
const firstFix = 5 * time.Minute

// suspicion counts replies inside transactions that may be about the whole account. Such a
// reply is first taken as one about its transaction: a server that closes the connection at
// one recipient would otherwise stop all other messages. The account is paused if a different
// message gets the same and none was accepted in between.
type suspicion struct {
	class    string
	named    map[string]bool // the subjects of the replies, see accountWorker.replySubject
	messages map[queue.ID]bool
	pauses   int // pauses of the account since a message was accepted
}

// suspectAccount records a reply to a message that may be about the account. It returns how long the
// account must pause, at most the time that the reply asks for; 0 means not at all.
//
// After each pause two messages are tried again, and if only a user can correct the cause the
// first pauses are shorter: a relay that refuses other recipients still accepts those of its
// own users.
func (d *Delivery) suspectAccount(account string, id queue.ID, v decision, named string) time.Duration {
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

// clearSuspicion ends a suspicion, because a message was accepted.
func (d *Delivery) clearSuspicion(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.suspects, account)
}

// replySubject returns the subject of a reply inside a transaction: the domain of the recipient at
// RCPT, the sender at MAIL if it is not the account's own, otherwise the message.
func (c *accountWorker) replySubject(p *queuedMessage, r outbox.LeasedRecipient, stage smtp.Stage) string {
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

// pauseHere pauses an account in this process only: the fault may be on this machine, and
// others may be able to send.
func (d *Delivery) pauseHere(account string, rest time.Duration, why queue.Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rests[account] = Rest{Account: account, Until: d.o.Now().Add(rest), Answer: why, resumed: d.resumed[account]}
}

// Rest is an account that this process does not use for a time, because of a fault that may be
// on this machine: a missing file, a name that does not resolve, a server that can't be
// reached.
type Rest struct {
	Account string
	Until   time.Time
	Answer  queue.Answer
	resumed int64 // outbox.Due.Resumed when it began
}
