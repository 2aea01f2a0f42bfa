package transport

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// resultEffect is the effect of a result on the following messages.
type resultEffect struct {
	// again are the places of the recipients to be tried again: the server can't have the message
	// for them.
	again []int
	// lost says that the reason is a lost connection.
	lost bool
	// decided says that the server or the message itself decided something: the connection was
	// useful.
	decided bool
	// explained says that the cause of the connection's end is known: no later message on it is
	// to blame.
	explained bool
}

// assessResult derives the effects of a result on other messages: package diagnosis interprets a reply,
// the consequences are decided here.
func (s *SMTP) assessResult(l *pooledConn, p part, r *smtpclient.Result) resultEffect {
	if allAccepted(r) {
		s.pace.noteAccepted(p.epoch)
		return resultEffect{decided: true}
	}
	j := assessment{s: s, l: l, policy: p.d.t.Policy, from: p.d.t.Envelope.From(), ordinal: p.ordinal, epoch: p.epoch, outcomes: r.Outcomes, gone: r.Lost}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		switch o.Status {
		case smtp.Accepted:
			j.decided, j.served = true, true
		case smtp.Unknown, smtp.NotTried:
			j.assessUndecided(i, o)
		default:
			j.decided = true
			j.assessRefusal(i, o)
		}
	}
	if j.policy == smtpclient.All {
		j.allAgain()
	}
	return j.resultEffect
}

func allAccepted(r *smtpclient.Result) bool {
	for i := range r.Outcomes {
		if r.Outcomes[i].Status != smtp.Accepted {
			return false
		}
	}
	return true
}

// assessment is the state of assessResult.
type assessment struct {
	resultEffect
	s              *SMTP
	l              *pooledConn
	policy         smtpclient.Policy
	from           smtp.Address
	ordinal, epoch int // those of the part
	outcomes       []smtp.Outcome
	gone           bool // Result.Lost
	served         bool // a recipient was accepted
	// finding is the finding of the last reply, which often is that of the next recipient as
	// well.
	finding diagnosis.Finding
	of      smtp.Outcome
	// counted says that the next two are set: the number of recipients that passed RCPT, and the
	// last of them.
	counted          bool
	taken, lastTaken int
}

// assessUndecided handles a recipient for which there was no reply.
func (j *assessment) assessUndecided(i int, o *smtp.Outcome) {
	outOfStep := errors.Is(o.Err, smtpclient.ErrOutOfStep)
	notPipelined := errors.Is(o.Err, smtpclient.ErrNotPipelined) && !j.l.apart
	switch {
	case notPipelined:
		// The server can't process commands sent with the dot of a message.
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
		// Another recipient's address prevents this one's message.
		j.again = append(j.again, i)
	case j.gone:
		j.lost = true
		if o.Stage == smtp.StageMail && tooManyTransactions(o.Reply) {
			j.markSpent(true)
		}
		// RSET concerns the previous message. QUIRK: QQ answers it with an invalid reply.
		j.explained = j.explained || o.Stage == smtp.StageReset || j.l.conn.Spent()
		j.again = append(j.again, i)
	}
}

// assessRefusal handles a negative reply.
func (j *assessment) assessRefusal(i int, o *smtp.Outcome) {
	f := j.findingOf(o)
	transient := o.Reply.Transient()
	switch {
	case f.Class == diagnosis.ClassTooManyConnections && j.s.pool.otherConns() > 0:
		j.s.pace.tooManyConnections(f.Retry, j.epoch)
	case f.Retry.Kind == diagnosis.RetrySplit && o.Stage == smtp.StageRcpt && j.tookBefore(i) > 0:
		j.tooManyRecipients(i, f)
	case f.Retry.Kind == diagnosis.RetrySplit && o.Stage != smtp.StageRcpt && o.Stage != smtp.StageMail:
		j.tooManyForBody(i)
	case f.Class == diagnosis.ClassPerConnectionLimit:
		if j.ordinal > 0 {
			j.again = append(j.again, i)
			j.markSpent(o.Stage == smtp.StageMail)
		}
	case f.Retry.Kind == diagnosis.RetryDelay && (f.Scope == diagnosis.ScopeConnection || f.Scope == diagnosis.ScopeAccount):
		j.slowDown(o, f)
	case o.Stage == smtp.StageMail && j.ordinal > 0 && aboutConnection(o.Reply, f):
		// The reply on a new connection counts. QUIRK: Exim answers 421 to one MAIL too many,
		// OpenSMTPD 452 4.5.3.
		j.again = append(j.again, i)
		j.markSpent(tooManyTransactions(o.Reply))
	case f.Class == diagnosis.ClassTooManyConnections, o.Reply.Code == 421, o.Reply.Code == 432:
		j.slowDown(o, f)
	case transient && o.Reply.Enhanced.Subject == 7 && o.Stage != smtp.StageRcpt:
		// 4.7.x is about policy; at RCPT it is the recipient's (greylisting).
		j.slowDown(o, f)
	}
}

// aboutConnection reports whether a refusal of MAIL may concern the connection and not the
// message: it is closing (421), was idle for too long (4.4.2), or has had its maximum number of
// transactions (4.5.3; RFC 3463 speaks of recipients, but there are none yet).
func aboutConnection(r smtp.Reply, f diagnosis.Finding) bool {
	timeout := r.Transient() && r.Enhanced.Subject == 4 && r.Enhanced.Detail == 2
	return r.Code == 421 || timeout || f.Retry.Kind == diagnosis.RetryReconnect || tooManyTransactions(r)
}

// tooManyTransactions reports a refusal of MAIL that is about their number.
func tooManyTransactions(r smtp.Reply) bool {
	return (r.Transient() || r.Permanent()) && r.Enhanced.Subject == 5 && r.Enhanced.Detail == 3
}

// markSpent ends the use of a connection that accepts no more messages. plain says that their number
// is the certain reason: otherwise it may be that of the recipients or the commands.
func (j *assessment) markSpent(plain bool) {
	switch {
	case j.l.spent.Swap(true): // an earlier message has reported it
	case plain:
		j.s.limits.tookOnOneConnection(j.ordinal)
	default:
		j.s.limits.endedAfter(j.ordinal)
	}
}

// findingOf returns the finding of a reply. Many recipients get the same reply.
func (j *assessment) findingOf(o *smtp.Outcome) diagnosis.Finding {
	same := j.of.Status == o.Status && j.of.Stage == o.Stage && j.of.Reply.Code == o.Reply.Code &&
		slices.Equal(j.of.Reply.Lines, o.Reply.Lines)
	if !same {
		j.finding, j.of = diagnosis.Diagnose(diagnosis.FromOutcome(*o, j.s.server.Provider.ID)), *o
	}
	return j.finding
}

func (j *assessment) slowDown(o *smtp.Outcome, f diagnosis.Finding) {
	j.s.pace.slowDown(smtp.Error{Stage: o.Stage, Reply: o.Reply}, f.Retry, j.epoch)
}

// tookBefore returns how many recipients the server accepted before it refused one, and 0 if it
// accepted others after it: then the refusal was not about their number.
func (j *assessment) tookBefore(refused int) int {
	if !j.counted {
		j.counted, j.lastTaken = true, -1
		for i := range j.outcomes {
			o := &j.outcomes[i]
			// A recipient that passed RCPT was accepted, whatever the outcome of the message.
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

// tooManyRecipients sends the message to the remaining recipients in a further transaction at
// once (RFC 5321 section 4.5.3.1.10). A bare 452 may also concern one mailbox, so only an
// unambiguous text sets the limit.
func (j *assessment) tooManyRecipients(i int, f diagnosis.Finding) {
	if f.Basis != diagnosis.BasisCode {
		j.s.limits.tookRecipients(j.tookBefore(i))
	}
	if j.policy == smtpclient.Any {
		j.again = append(j.again, i)
	}
}

// tooManyForBody halves the recipients of the next transactions: the server counted them only
// after the message, and does not say how many it accepts.
//
// QUIRK: NetEase refuses the message with 550 RP:RCL.
func (j *assessment) tooManyForBody(i int) {
	if j.policy == smtpclient.Any && len(j.outcomes) > 1 && !j.served {
		if len(j.again) == 0 {
			j.s.limits.tookRecipients(len(j.outcomes) / 2)
		}
		j.again = append(j.again, i)
	}
}

// allAgain keeps the policy All: the message is sent again to every recipient, if all of them can
// be.
func (j *assessment) allAgain() {
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

// refusedConnection adapts to a server that refused a connection or a login for its number or
// rate. Without a reply there is nothing to adapt to.
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
	case s.pool.otherConns() > 0: // it accepts those, so the reason is their number
		s.pace.tooManyConnections(f.Retry, epoch)
	default:
		s.pace.slowDown(smtp.Error{Stage: at.Stage, Reply: at.Reply}, f.Retry, epoch)
	}
}
