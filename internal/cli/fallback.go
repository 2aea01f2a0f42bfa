package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// round is what is sent from one account. A run has one, and a further one for
// each account that falls in for the one before it.
type round struct {
	// waiting are the messages for the next account, in their order.
	waiting []*job
	// why is the first failure that sent a message there.
	why smtp.Outcome
}

// fallsBack reports whether another account takes over for a message, or for
// some of its recipients, and prepares the message for it. It does where the
// failure is temporary, never where the server may have the message.
func (r *delivery) fallsBack(ctx context.Context, j *job, result yan.Result) bool {
	if r.next == nil || ctx.Err() != nil || r.s.quitAfter != "" {
		return false
	}
	places := r.forAnother(result)
	if len(places) == 0 || !r.recompose(j) {
		return false
	}
	if r.round.why.Status == "" {
		r.round.why = result.Recipients[places[0]]
	}
	r.keepDecided(j, result.Recipients, places)
	r.round.waiting = append(r.round.waiting, j)
	return true
}

// forAnother are the places of the recipients for whom another account may be
// tried. A message for all or none goes as one.
func (r *delivery) forAnother(result yan.Result) (places []int) {
	temporary := false
	for i, o := range result.Recipients {
		switch {
		case o.Status == smtp.Accepted, o.Status == smtp.Unknown:
		case errors.Is(o.Err, smtpclient.ErrAnotherRefused):
			places = append(places, i)
		case r.passes(o):
			temporary = true
			places = append(places, i)
		case o.Status == smtp.Refused && r.s.policy == "all":
			return nil
		}
	}
	if !temporary {
		return nil
	}
	return places
}

// passes reports whether a failure is the server's or the network's, and
// passes with time, as a limit does, whatever its code. What is wrong with the
// message, another server would find too.
func (r *delivery) passes(o smtp.Outcome) bool {
	if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, smtpclient.ErrContent) || isOurData(o.Err) {
		return false
	}
	return yan.Explain(o, r.server.Provider.ID).Permanence == diagnosis.Temporary
}

// keepDecided notes what became of the recipients that do not wait for the
// next account.
func (r *delivery) keepDecided(j *job, now []smtp.Outcome, waiting []int) {
	n := j.envelope.Len()
	pending := j.pending()
	if j.logged == nil {
		j.logged = make([]smtp.Outcome, n)
	}
	if j.via == nil {
		j.via = make([]string, n)
	}
	for i, place := range pending {
		if !slices.Contains(waiting, i) {
			j.logged[place], j.via[place] = now[i], r.s.id.Name
		}
	}
	if j.entry != nil {
		entry := *j.entry
		entry.To, entry.Copies = nil, nil
		for _, i := range waiting {
			entry.To, entry.Copies = append(entry.To, j.entry.To[i]), append(entry.Copies, j.entry.Copies[i])
		}
		j.entry = &entry
	}
	j.taken, j.safe, j.begun = false, false, false
}

// recompose makes the message anew in the name of the next account. A whole
// message stays what it is: it can only go from an account that serves its
// sender.
func (r *delivery) recompose(j *job) bool {
	serves := r.next.Serves(j.envelope.From())
	if j.message == nil || serves {
		if !serves {
			r.a.note(r.s, r.a.T("Account %s does not take over: it does not serve the sender %s.", r.next.Name, j.envelope.From()))
		}
		return serves
	}
	m := *j.message
	m.From, m.Headers = "", slices.Clone(m.Headers)
	if len(m.ReplyTo) == 0 {
		m.ReplyTo = []string{j.message.From}
	}
	if err := r.a.introduce(&m, r.s, r.next.Account); err != nil {
		r.a.note(r.s, r.a.T("Account %s does not take over: %v.", r.next.Name, err))
		return false
	}
	content, err := message.Compose(&m)
	if err != nil { // as of an attachment that could be read once
		r.a.note(r.s, r.a.T("Account %s does not take over: %v.", r.next.Name, err))
		return false
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // the message goes out with neither
		return false
	}
	j.close()
	j.content, j.envelope, j.size, j.messageID = content, envelope, content.Size(), content.MessageID()
	return true
}

// fallBack sends what waits from the next account, and from the one after it.
func (r *delivery) fallBack(ctx context.Context) error {
	for r.next != nil {
		// What the run never came to waits as well, if what ended it may pass.
		if r.round.why.Status != "" {
			for _, j := range r.todo {
				if !j.taken && !j.failed && !slices.Contains(r.round.waiting, j) && errors.Is(r.end, errHopeless) && r.recompose(j) {
					r.round.waiting = append(r.round.waiting, j)
				}
			}
		}
		if len(r.round.waiting) == 0 {
			return nil
		}
		why := r.a.why(r.round.why)
		r.a.note(r.s, r.a.T("Account %s: %s (at %s); account %s takes over.", r.s.id.Name, why, string(r.round.why.Stage), r.next.Name))
		if err := r.switchTo(ctx); err != nil {
			return err
		}
		if err := r.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// switchTo makes the next account the one that sends.
func (r *delivery) switchTo(ctx context.Context) error {
	_ = r.client.Close() // everything it was given is settled
	waiting := r.round.waiting
	r.s.id, r.next, r.round = r.next, nil, round{}
	r.s.serverFlags = r.s.id.given
	if err := r.a.fill(r.s, r.s.id, r.changed); err != nil {
		return err
	}
	server, err := r.s.target(r.a, r.s.principal(waiting[0].envelope.From()))
	if err != nil {
		return err
	}
	r.server = server
	r.mu.Lock()
	r.todo, r.taken, r.end, r.lost = waiting, nil, nil, 0
	r.mu.Unlock()
	if err := r.open(ctx); err != nil {
		return err
	}
	r.findNext()
	return nil
}

// findNext looks up the account that falls in for the one that sends now.
func (r *delivery) findNext() {
	r.next = nil
	if id := r.s.id; id != nil && id.Fallback != "" && !r.s.noFallback {
		if acc, ok := id.file.Account(id.Fallback); ok {
			r.next = &identity{Account: acc, file: id.file, secrets: id.secrets, given: id.given}
		}
	}
}

// note tells people, even where nobody sits at a terminal, what the results
// alone would not explain.
func (a *app) note(s *sendFlags, text string) {
	if !s.quiet && !s.json {
		a.errf("%s\n", text)
	}
}
