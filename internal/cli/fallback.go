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
	waiting []waitingJob
	// why is the first failure that sent a message there.
	why smtp.Outcome
}

// waitingJob is a message that the next account is to send, with what became of
// it so far: the last word, if no account takes over after all.
type waitingJob struct {
	job    *job
	result yan.Result // of those who wait
}

// fallsBack reports whether another account takes over for a message, or for
// some of its recipients. It does where the failure is temporary, never where the
// server may have the message.
func (r *delivery) fallsBack(ctx context.Context, j *job, result yan.Result) bool {
	if r.next == nil || ctx.Err() != nil || r.s.quitAfter != "" {
		return false
	}
	places := r.forAnother(result)
	if len(places) == 0 || !r.canTakeOver(j) {
		return false
	}
	if r.round.why.Status == "" {
		r.round.why = result.Recipients[places[0]]
	}
	r.keepDecided(j, result.Recipients, places)
	waiting := result
	waiting.Recipients = nil
	for _, i := range places {
		waiting.Recipients = append(waiting.Recipients, result.Recipients[i])
	}
	r.round.waiting = append(r.round.waiting, waitingJob{j, waiting})
	return true
}

// canTakeOver: a whole message stays what it is, and can only go from an account
// that serves its sender.
func (r *delivery) canTakeOver(j *job) bool {
	if j.message != nil || r.next.Serves(j.envelope.From()) {
		return true
	}
	r.a.note(r.s, r.a.T("Account %s does not take over: it does not serve the sender %s.", r.next.Name, j.envelope.From()))
	return false
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

// recompose makes the message anew in the name of the account that takes over,
// unless that serves its sender.
func (r *delivery) recompose(j *job) error {
	id := r.s.id
	if j.message == nil || id.Serves(j.envelope.From()) {
		return nil
	}
	m := *j.message
	m.From, m.Headers = "", slices.Clone(m.Headers)
	if len(m.ReplyTo) == 0 {
		m.ReplyTo = []string{j.message.From}
	}
	if err := r.a.introduce(&m, r.s, id.Account); err != nil {
		return err
	}
	content, err := message.Compose(&m)
	if err != nil { // as of an attachment that could be read once
		return err
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // the error that matters is err
		return err
	}
	j.close()
	j.content, j.envelope, j.size, j.messageID = content, envelope, content.Size(), content.MessageID()
	return nil
}

// fallBack sends what waits from the next account, and from the one after it.
func (r *delivery) fallBack(ctx context.Context) error {
	for r.next != nil && r.round.why.Status != "" {
		r.waitRest()
		r.tellOthers(ctx)
		waiting, id, server := r.round.waiting, r.s.id, r.server
		r.a.note(r.s, r.a.T("Account %s: %s (at %s); account %s takes over.", r.s.id.Name, r.a.why(r.round.why), string(r.round.why.Stage), r.next.Name))
		if err := r.switchTo(ctx); err != nil {
			r.a.note(r.s, r.a.T("Account %s does not take over: %v.", r.s.id.Name, err))
			r.s.id, r.server, r.next = id, server, nil
			for _, w := range waiting {
				r.tellWaiting(w)
			}
			return nil
		}
		if err := r.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// waitRest lets the messages wait that the run never came to, because what
// ended it may pass.
func (r *delivery) waitRest() {
	if !errors.Is(r.end, errHopeless) {
		return
	}
	for _, j := range r.todo {
		waits := slices.ContainsFunc(r.round.waiting, func(w waitingJob) bool { return w.job == j })
		if !j.taken && !j.failed && !waits && r.canTakeOver(j) {
			r.round.waiting = append(r.round.waiting, waitingJob{j, r.notTried(j, smtp.StageConnect, errHopeless)})
		}
	}
}

// tellOthers tells of the messages that were not tried and do not wait.
func (r *delivery) tellOthers(ctx context.Context) {
	for _, w := range r.round.waiting {
		w.job.taken = true
	}
	r.tellRest(ctx)
	for _, w := range r.round.waiting {
		w.job.taken = false
	}
}

// tellWaiting tells what became of a message for which no account takes over.
func (r *delivery) tellWaiting(w waitingJob) {
	j := w.job
	j.taken = true // nothing is left to be told
	j.close()
	w.result.Recipients = j.outcomes(w.result.Recipients)
	r.bar.settle(j)
	r.tell(j, w.result)
}

// switchTo makes the next account the one that sends.
func (r *delivery) switchTo(ctx context.Context) error {
	_ = r.client.Close() // everything it was given is settled
	waiting := r.round.waiting
	from := waiting[0].job.envelope.From()
	r.s.id, r.next, r.round = r.next, nil, round{}
	r.s.serverFlags = r.s.id.given
	if err := r.a.fill(r.s, r.s.id, r.changed); err != nil {
		return err
	}
	server, err := r.s.target(r.a, r.s.principal(from))
	if err != nil {
		return err
	}
	r.server = server
	if err := r.open(ctx); err != nil {
		return err
	}
	var todo []*job
	for _, w := range waiting {
		if err := r.recompose(w.job); err != nil {
			r.a.note(r.s, r.a.T("Account %s does not take over: %v.", r.s.id.Name, err))
			r.tellWaiting(w)
			continue
		}
		todo = append(todo, w.job)
	}
	r.mu.Lock()
	r.todo, r.taken, r.end, r.lost = todo, nil, nil, 0
	r.mu.Unlock()
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
