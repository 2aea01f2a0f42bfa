package transport

import (
	"errors"
	"slices"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// delivery is one message on its way. As a rule that is one transaction; it is
// more where the server takes fewer recipients at a time, or a connection was
// lost. It is for one connection at a time, because its content is.
type delivery struct {
	index  int
	t      smtpclient.Transaction // as it was given, with the transport's policy
	result smtpclient.Result
	// todo are the places of the recipients that no transaction on the wire has,
	// in order. Until begun that is everybody.
	todo  []int
	begun bool
	// flying counts the transactions on the wire.
	flying int
	// losses counts the connections that may have been lost because of it.
	losses int
}

// part is one transaction of a delivery.
type part struct {
	d *delivery
	// places are those of its recipients in the envelope; nil means all.
	places []int
	// ordinal counts the transactions before it on its connection; epoch is that
	// of the pace.
	ordinal, epoch int
}

// left is how many recipients have to go.
func (d *delivery) left() int {
	if !d.begun {
		return d.t.Envelope.Len()
	}
	return len(d.todo)
}

// next is how many recipients the next transaction has at most.
func (d *delivery) next(l smtp.Limits) int { return least(d.left(), l.Recipients) }

// part takes as many recipients as one transaction may have.
func (d *delivery) part(l smtp.Limits) (part, error) {
	n := d.left()
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
	now, later := d.divide(l)
	if len(later) > 0 && d.t.Policy == smtpclient.All {
		return part{}, &smtp.Error{Stage: smtp.StageRcpt, Err: smtpclient.ErrTooManyRecipients}
	}
	d.todo = later
	d.flying++
	return part{d: d, places: now}, nil
}

// divide splits todo by the server's limits.
func (d *delivery) divide(l smtp.Limits) (now, later []int) {
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

// took notes what became of a part. again are the places in r.Outcomes of the
// recipients that go once more.
func (d *delivery) took(p part, r smtpclient.Result, again []int) {
	d.flying--
	if d.result.Outcomes == nil && p.places == nil {
		d.result = r
	} else {
		d.merge(p, r)
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

// merge joins the result of a further transaction. The reply to the whole is
// that of the first transaction that was accepted, or else of the last that was
// answered at all; each recipient's own stands in its outcome.
func (d *delivery) merge(p part, r smtpclient.Result) {
	d.expand()
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

// expand makes room for the outcomes of parts.
func (d *delivery) expand() {
	if d.result.Outcomes != nil {
		return
	}
	d.result.Outcomes = make([]smtp.Outcome, d.t.Envelope.Len())
	for i, to := range d.t.Envelope.To() {
		d.result.Outcomes[i].Recipient = to
	}
}

// fail settles everybody who has still to go: there is no connection for
// them. What a server said of them already stands.
func (d *delivery) fail(err error) { d.settle(err, true) }

// giveUp settles everybody who has still to go with what is known of them, and
// with err where nothing is; nil stands for what is known of the others.
func (d *delivery) giveUp(err error) {
	for _, place := range d.todo {
		if err != nil || d.result.Outcomes == nil {
			break
		}
		if o := &d.result.Outcomes[place]; o.Status == smtp.NotTried {
			err = &smtp.Error{Stage: o.Stage, Err: o.Err}
		}
	}
	d.settle(err, false)
}

func (d *delivery) settle(err error, anew bool) {
	out := smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageConnect, Err: err}
	if at := (*smtp.Error)(nil); errors.As(err, &at) {
		out.Stage, out.Reply, out.Err = at.Stage, at.Reply, at.Err
	}
	d.expand()
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

// notTried is the result of a message that never met a connection.
func notTried(t smtpclient.Transaction, err error) smtpclient.Result {
	d := delivery{t: t}
	d.fail(err)
	return d.result
}
