package transport

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// verdict is what a result means for what comes next.
type verdict struct {
	// again are the places in the outcomes of recipients that go once more: the
	// server can't have the message for them.
	again []int
	// lost says that they do because the connection was lost.
	lost bool
	// decided says that something was, by the server or by the message itself:
	// the connection was good for something.
	decided bool
	// explained says that it is known what ended the connection: no later
	// message on it did.
	explained bool
}

// judge draws from a result what it says about more than its message: what it
// means is for package diagnosis to say, what follows from it stands here.
func (s *SMTP) judge(l *pooledConn, p part, r *smtpclient.Result) verdict {
	if allAccepted(r) {
		s.pace.fine(p.epoch)
		return verdict{decided: true}
	}
	j := judgement{s: s, l: l, policy: p.d.t.Policy, from: p.d.t.Envelope.From(), ordinal: p.ordinal, epoch: p.epoch, outcomes: r.Outcomes, gone: r.Lost}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		switch o.Status {
		case smtp.Accepted:
			j.decided, j.served = true, true
		case smtp.Unknown, smtp.NotTried:
			j.undecided(i, o)
		default:
			j.decided = true
			j.refused(i, o)
		}
	}
	if j.policy == smtpclient.All {
		j.allAgain()
	}
	return j.verdict
}

func allAccepted(r *smtpclient.Result) bool {
	for i := range r.Outcomes {
		if r.Outcomes[i].Status != smtp.Accepted {
			return false
		}
	}
	return true
}

// judgement is the work of judge.
type judgement struct {
	verdict
	s              *SMTP
	l              *pooledConn
	policy         smtpclient.Policy
	from           smtp.Address
	ordinal, epoch int // as those of the part
	outcomes       []smtp.Outcome
	gone           bool // Result.Lost
	served         bool // somebody was accepted
	// finding is that of the last reply, which often is that of the next
	// recipient as well.
	finding diagnosis.Finding
	of      smtp.Outcome
	// counted says that the next two are known: how many recipients passed RCPT,
	// and which of them was the last.
	counted          bool
	taken, lastTaken int
}

// undecided looks at a recipient about whom the server said nothing.
func (j *judgement) undecided(i int, o *smtp.Outcome) {
	outOfStep := errors.Is(o.Err, smtpclient.ErrOutOfStep)
	notPipelined := errors.Is(o.Err, smtpclient.ErrNotPipelined) && !j.l.apart
	switch {
	case notPipelined:
		// It can't do what it is told with the dot of a message.
		j.s.apart.Store(true)
		j.l.spent.Store(true)
	case outOfStep && !j.l.lockStep:
		// The server offers PIPELINING and can't do it.
		j.s.lockStep.Store(true)
		j.l.spent.Store(true)
	}
	if unreadable := errors.Is(o.Err, smtpclient.ErrContent); unreadable || o.Status == smtp.Unknown {
		j.explained = true
		j.decided = j.decided || unreadable
		return
	}
	switch {
	case notPipelined, outOfStep && !j.l.lockStep:
		j.explained = true
		j.again = append(j.again, i)
	case j.policy == smtpclient.Any && errors.Is(o.Err, smtpclient.ErrNeedsSMTPUTF8) && !j.from.NeedsSMTPUTF8() && !o.Recipient.NeedsSMTPUTF8():
		// Another recipient's address keeps the message from this one.
		j.again = append(j.again, i)
	case j.gone:
		j.lost = true
		if o.Stage == smtp.StageMail && tooManyTransactions(o.Reply) {
			j.spent(true)
		}
		// RSET is about the message before. QUIRK: QQ says to it what is no reply.
		j.explained = j.explained || o.Stage == smtp.StageReset || j.l.conn.Spent()
		j.again = append(j.again, i)
	}
}

// refused looks at a reply that was no.
func (j *judgement) refused(i int, o *smtp.Outcome) {
	f := j.find(o)
	transient := o.Reply.Transient()
	switch {
	case f.Class == diagnosis.ClassTooManyConnections && j.s.pool.others() > 0:
		j.s.pace.crowded(f.Retry, j.epoch)
	case f.Retry.Kind == diagnosis.RetrySplit && o.Stage == smtp.StageRcpt && j.tookBefore(i) > 0:
		j.tooManyRecipients(i, f)
	case f.Retry.Kind == diagnosis.RetrySplit && o.Stage != smtp.StageRcpt && o.Stage != smtp.StageMail:
		j.tooManyForBody(i)
	case f.Class == diagnosis.ClassPerConnectionLimit:
		if j.ordinal > 0 {
			j.again = append(j.again, i)
			j.spent(o.Stage == smtp.StageMail)
		}
	case f.Retry.Kind == diagnosis.RetryDelay && (f.Scope == diagnosis.ScopeConnection || f.Scope == diagnosis.ScopeAccount):
		j.slow(o, f)
	case o.Stage == smtp.StageMail && j.ordinal > 0 && aboutConnection(o.Reply, f):
		// What a new connection is told counts. QUIRK: Exim says 421 to the MAIL that
		// is one too many, OpenSMTPD 452 4.5.3.
		j.again = append(j.again, i)
		j.spent(tooManyTransactions(o.Reply))
	case f.Class == diagnosis.ClassTooManyConnections, o.Reply.Code == 421, o.Reply.Code == 432:
		j.slow(o, f)
	case transient && o.Reply.Enhanced.Subject == 7 && o.Stage != smtp.StageRcpt:
		// 4.7.x is about policy; at RCPT it is that of the recipient (greylisting).
		j.slow(o, f)
	}
}

// aboutConnection reports whether a refusal of MAIL may be about the connection
// that it came over, and not about the message: it is closing (421), it was idle
// for too long (4.4.2), or has had all the transactions that it may have (4.5.3;
// recipients, of which RFC 3463 speaks, there are none yet).
func aboutConnection(r smtp.Reply, f diagnosis.Finding) bool {
	timeout := r.Transient() && r.Enhanced.Subject == 4 && r.Enhanced.Detail == 2
	return r.Code == 421 || timeout || f.Retry.Kind == diagnosis.RetryReconnect || tooManyTransactions(r)
}

// tooManyTransactions reports a refusal of MAIL that is about their number.
func tooManyTransactions(r smtp.Reply) bool {
	return (r.Transient() || r.Permanent()) && r.Enhanced.Subject == 5 && r.Enhanced.Detail == 3
}

// spent ends the use of a connection that takes no more messages. plain says that
// it is their number: it may also be that of the recipients or the commands.
func (j *judgement) spent(plain bool) {
	switch {
	case j.l.spent.Swap(true): // an earlier message has told
	case plain:
		j.s.limits.tookOnOneConnection(j.ordinal)
	default:
		j.s.limits.endedAfter(j.ordinal)
	}
}

// find is what a reply means. Many recipients get the same one.
func (j *judgement) find(o *smtp.Outcome) diagnosis.Finding {
	same := j.of.Status == o.Status && j.of.Stage == o.Stage && j.of.Reply.Code == o.Reply.Code &&
		slices.Equal(j.of.Reply.Lines, o.Reply.Lines)
	if !same {
		j.finding, j.of = diagnosis.Diagnose(diagnosis.FromOutcome(*o, j.s.server.Provider.ID)), *o
	}
	return j.finding
}

func (j *judgement) slow(o *smtp.Outcome, f diagnosis.Finding) {
	j.s.pace.slow(smtp.Error{Stage: o.Stage, Reply: o.Reply}, f.Retry, j.epoch)
}

// tookBefore is how many recipients the server took before it refused one, and
// 0 if it took others behind it: then the refusal was not about their number.
func (j *judgement) tookBefore(refused int) int {
	if !j.counted {
		j.counted, j.lastTaken = true, -1
		for i := range j.outcomes {
			o := &j.outcomes[i]
			// Whoever passed RCPT was taken, whatever became of the message.
			if o.Stage != smtp.StageRcpt || o.Status == smtp.Accepted || errors.Is(o.Err, smtpclient.ErrAnotherRefused) {
				j.taken++
				j.lastTaken = i
			}
		}
	}
	if refused < j.lastTaken {
		return 0
	}
	return j.taken
}

// tooManyRecipients lets the rest go in a further transaction at once (RFC 5321
// section 4.5.3.1.10). A bare 452 may also be about the one mailbox, so that only
// plain words teach how many are taken.
func (j *judgement) tooManyRecipients(i int, f diagnosis.Finding) {
	if f.Basis != diagnosis.BasisCode {
		j.s.limits.tookRecipients(j.tookBefore(i))
	}
	if j.policy == smtpclient.Any {
		j.again = append(j.again, i)
	}
}

// tooManyForBody halves the recipients of the next transactions: the server
// counted only when it had the message, and does not say how many it takes.
//
// QUIRK: NetEase refuses the message with 550 RP:RCL.
func (j *judgement) tooManyForBody(i int) {
	if j.policy == smtpclient.Any && len(j.outcomes) > 1 && !j.served {
		if len(j.again) == 0 {
			j.s.limits.tookRecipients(len(j.outcomes) / 2)
		}
		j.again = append(j.again, i)
	}
}

// allAgain holds to the policy All: the message goes again to everybody, and
// only if nobody is left behind.
func (j *judgement) allAgain() {
	if len(j.again) == 0 || len(j.again) == len(j.outcomes) {
		return
	}
	everybody := make([]int, len(j.outcomes))
	for i := range j.outcomes {
		o := &j.outcomes[i]
		if _, found := slices.BinarySearch(j.again, i); !found && !errors.Is(o.Err, smtpclient.ErrAnotherRefused) {
			j.again = nil
			return
		}
		everybody[i] = i
	}
	j.again = everybody
}

// refusedConnection heeds a server that refused a connection or a login for its
// number or its rate. A server that said nothing has no wish to heed.
func (s *SMTP) refusedConnection(err error, epoch int) {
	at := (*smtp.Error)(nil)
	if !errors.As(err, &at) || !at.Reply.Transient() && !at.Reply.Permanent() {
		return
	}
	f := diagnosis.Diagnose(diagnosis.FromError(err, s.server.Provider.ID))
	tooMuch := f.Retry.Kind == diagnosis.RetryDelay || f.Class == diagnosis.ClassTooManyConnections ||
		at.Reply.Transient() && at.Stage != smtp.StageAuth
	switch {
	case !tooMuch:
	case s.pool.others() > 0: // it takes those, so it is their number
		s.pace.crowded(f.Retry, epoch)
	default:
		s.pace.slow(smtp.Error{Stage: at.Stage, Reply: at.Reply}, f.Retry, epoch)
	}
}
