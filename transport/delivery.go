package transport

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// delivery is a message being sent. Usually that is one transaction; it is more if the server
// accepts fewer recipients at a time, or a connection was lost. It uses one connection at a time,
// because its content is not safe for concurrent use.
type delivery struct {
	index  int
	t      smtpclient.Transaction // the caller's, with the transport's policy
	result smtpclient.Result
	// todo are the places of the recipients that are in no transaction on the wire, in order: at
	// first, all of them.
	todo  []int
	begun bool
	// flying is the number of transactions on the wire.
	flying int
	// losses is the number of connections that may have been lost because of it.
	losses int
}

// part is one transaction of a delivery.
type part struct {
	d *delivery
	// places are the indexes of its recipients in the envelope; nil means all.
	places []int
	// ordinal is the number of earlier transactions on its connection; epoch is the epoch of the
	// pace.
	ordinal, epoch int
}

// remaining returns the number of remaining recipients.
func (d *delivery) remaining() int {
	if !d.begun {
		return d.t.Envelope.Len()
	}
	return len(d.todo)
}

// nextCount returns the maximum number of recipients of the next transaction.
func (d *delivery) nextCount(l smtp.Limits) int { return minLimit(d.remaining(), l.Recipients) }

// takePart takes as many recipients as one transaction may have.
func (d *delivery) takePart(l smtp.Limits) (part, error) {
	n := d.remaining()
	if !d.begun && (l.Recipients == 0 || n <= l.Recipients) && l.RecipientsDomains == 0 {
		d.begun = true
		d.flying++
		return part{d: d}, nil
	}
	if !d.begun {
		d.begun = true
		d.todo = make([]int, n)
		for i := range d.todo {
			d.todo[i] = i
		}
	}
	now, later := d.splitTodo(l)
	if len(later) > 0 && d.t.Policy == smtpclient.All {
		return part{}, &smtp.Error{Stage: smtp.StageRcpt, Err: smtpclient.ErrTooManyRecipients}
	}
	d.todo = later
	d.flying++
	return part{d: d, places: now}, nil
}

// splitTodo splits todo by the server's limits.
func (d *delivery) splitTodo(l smtp.Limits) (now, later []int) {
	var to []smtp.Address
	domains := map[string]bool{}
	if l.RecipientsDomains > 0 {
		to = d.t.Envelope.To()
	}
	for i, place := range d.todo {
		if l.Recipients > 0 && len(now) == l.Recipients {
			return now, append(later, d.todo[i:]...)
		}
		if to != nil {
			domain := to[place].ASCIIDomain()
			if !domains[domain] && len(domains) == l.RecipientsDomains {
				later = append(later, place)
				continue
			}
			domains[domain] = true
		}
		now = append(now, place)
	}
	return now, later
}

// recordResult records the result of a part. again are the places in r.Outcomes of the recipients to be
// tried again.
func (d *delivery) recordResult(p part, r smtpclient.Result, again []int) {
	d.flying--
	if d.result.Outcomes == nil && p.places == nil {
		d.result = r
	} else {
		d.mergeResult(p, r)
	}
	if len(again) == 0 {
		return
	}
	for _, i := range again {
		if p.places != nil {
			i = p.places[i]
		}
		d.todo = append(d.todo, i)
	}
	slices.Sort(d.todo)
}

// mergeResult adds the result of a further transaction. The reply to the whole message is that of the
// first accepted transaction, or else of the last answered one; each recipient's reply is in its
// outcome.
func (d *delivery) mergeResult(p part, r smtpclient.Result) {
	d.expandOutcomes()
	for i, o := range r.Outcomes {
		if p.places != nil {
			i = p.places[i]
		}
		d.result.Outcomes[i] = o
	}
	if !d.result.Reply.Positive() && !r.Reply.IsZero() {
		d.result.Reply = r.Reply
	}
	if r.Size > 0 {
		d.result.Size = r.Size
	}
	d.result.Lost = r.Lost
}

// expandOutcomes makes room for the outcomes of parts.
func (d *delivery) expandOutcomes() {
	if d.result.Outcomes != nil {
		return
	}
	d.result.Outcomes = make([]smtp.Outcome, d.t.Envelope.Len())
	for i, to := range d.t.Envelope.To() {
		d.result.Outcomes[i].Recipient = to
	}
}

// failRemaining settles the remaining recipients, because there is no connection for them. Replies
// received earlier stay.
func (d *delivery) failRemaining(err error) { d.settleRemaining(err, true) }

// giveUp settles the remaining recipients with their known outcomes, or else with err; nil means
// the outcome of the others.
func (d *delivery) giveUp(err error) {
	for _, place := range d.todo {
		if err != nil || d.result.Outcomes == nil {
			break
		}
		if o := &d.result.Outcomes[place]; o.Status == smtp.NotTried {
			err = &smtp.Error{Stage: o.Stage, Err: o.Err}
		}
	}
	d.settleRemaining(err, false)
}

func (d *delivery) settleRemaining(err error, anew bool) {
	out := smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageConnect, Err: err}
	if at := (*smtp.Error)(nil); errors.As(err, &at) {
		out.Stage, out.Reply, out.Err = at.Stage, at.Reply, at.Err
	}
	d.expandOutcomes()
	set := func(o *smtp.Outcome) {
		if o.Status == "" || anew && o.Status == smtp.NotTried {
			out.Recipient = o.Recipient
			*o = out
		}
	}
	if !d.begun {
		for i := range d.result.Outcomes {
			set(&d.result.Outcomes[i])
		}
	}
	for _, place := range d.todo {
		set(&d.result.Outcomes[place])
	}
	d.begun, d.todo = true, nil
}

// notTried returns the result of a message for which there was no connection.
func notTried(t smtpclient.Transaction, err error) smtpclient.Result {
	d := delivery{t: t}
	d.failRemaining(err)
	return d.result
}
