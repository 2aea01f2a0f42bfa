package smtpclient

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/smtp"
)

// handleMailReply records the reply to MAIL. A refused sender settles all recipients.
func (x *transaction) handleMailReply(reply smtp.Reply) {
	x.mail = reply
	if reply.Positive() {
		x.c.dirty = true
		x.c.mails++
		return
	}
	if x.c.mails > 0 && tooManyMessages(reply) {
		x.c.spent.Store(true)
		x.gone = true
		x.settlePending(smtp.NotTried, smtp.StageMail, reply, errSpent)
		return
	}
	if reply.Transient() && reply.Enhanced.Subject == 5 && reply.Enhanced.Detail == 3 {
		// QUIRK: OpenSMTPD answers the 101st MAIL like this, which can't concern recipients, and
		// accepts no other on this connection.
		x.c.spent.Store(true)
	}
	x.applyReply(smtp.StageMail, reply)
}

// tooManyMessages reports a refusal of MAIL for the number of messages on the connection: x.5.3
// means too many recipients (RFC 3463), and there are none yet. QUIRK: OpenSMTPD answers 452
// 4.5.3 to the 101st.
func tooManyMessages(reply smtp.Reply) bool {
	return isNegative(reply) && reply.Enhanced.Subject == 5 && reply.Enhanced.Detail == 3
}

// handleRcptReply records the reply to one RCPT.
func (x *transaction) handleRcptReply(i int, reply smtp.Reply) {
	x.rcptOK[i] = reply.Positive()
	switch {
	case x.outcomes[i].Status != "": // MAIL was refused; this reply repeats it
	case reply.Positive():
		x.outcomes[i].Stage, x.outcomes[i].Reply = smtp.StageRcpt, reply
	default:
		x.outcomes[i].Status = smtp.StatusOf(reply)
		x.outcomes[i].Stage, x.outcomes[i].Reply = smtp.StageRcpt, reply
	}
}

// note421 records that the server announced to close the connection, which it may do in
// reply to anything (RFC 5321 section 3.8).
func (c *Conn) note421(reply smtp.Reply) {
	if reply.Code == 421 {
		c.closing = reply
	}
}

// mayProceed reports whether the message may be sent, given the replies to RCPT.
func (x *transaction) mayProceed() bool {
	accepted := 0
	for _, ok := range x.rcptOK {
		if ok {
			accepted++
		}
	}
	return x.StopAfter == "" && x.mail.Positive() && accepted > 0 && (x.Policy == Any || accepted == len(x.to))
}

// settleWithheld settles the pending recipients of a message that is not sent.
func (x *transaction) settleWithheld() {
	for i := range x.outcomes {
		o := &x.outcomes[i]
		if o.Status != "" {
			continue
		}
		o.Status, o.Stage = smtp.NotTried, smtp.StageRcpt
		switch {
		case x.StopAfter == "":
			o.Reply, o.Err = smtp.Reply{}, ErrAnotherRefused
		case !x.rcptOK[i]:
			o.Stage, o.Reply = smtp.StageMail, x.mail
		}
	}
}

// applyReply settles all pending recipients by a reply.
func (x *transaction) applyReply(stage smtp.Stage, reply smtp.Reply) {
	for i := range x.outcomes {
		if o := &x.outcomes[i]; o.Status == "" {
			o.Status, o.Stage, o.Reply = smtp.StatusOf(reply), stage, reply
		}
	}
}

// notTried settles all pending recipients: the server can't have the message.
func (x *transaction) notTried(stage smtp.Stage, err error) {
	x.settlePending(smtp.NotTried, stage, smtp.Reply{}, err)
}

// failUnsent is notTried for a failure of the connection, not of the message: the message may be
// sent on another one.
func (x *transaction) failUnsent(stage smtp.Stage, err error) {
	x.gone = x.gone || x.anyPending()
	x.settlePending(smtp.NotTried, stage, x.c.closing, err)
}

// settlePending sets a status that no reply decided for every pending recipient. The reply is the 421
// that announced the end of the connection, if there was one.
func (x *transaction) settlePending(status smtp.Status, stage smtp.Stage, closing smtp.Reply, err error) {
	var at *smtp.Error
	if errors.As(err, &at) {
		stage = at.Stage
	}
	for i := range x.outcomes {
		if o := &x.outcomes[i]; o.Status == "" {
			*o = smtp.Outcome{Recipient: o.Recipient, Status: status, Stage: stage, Reply: closing, Err: err}
			if at != nil && closing.IsZero() {
				o.Reply, o.Err = at.Reply, at.Err
			}
		}
	}
}

// clearOutcomes makes all recipients pending again: the replies that were read decide
// nothing.
func (x *transaction) clearOutcomes() {
	for i := range x.outcomes {
		x.outcomes[i] = smtp.Outcome{Recipient: x.to[i]}
	}
}

func (x *transaction) anyAccepted() bool { return slices.Contains(x.rcptOK, true) }

func (x *transaction) anySettled() bool {
	return slices.ContainsFunc(x.outcomes, func(o smtp.Outcome) bool { return o.Status != "" })
}

func (x *transaction) anyPending() bool {
	return slices.ContainsFunc(x.outcomes, func(o smtp.Outcome) bool { return o.Status == "" })
}
