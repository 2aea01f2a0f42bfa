package sendcmd

import (
	"context"
	"errors"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// round is what is sent from one account. A run has one, and a further one for
// each account that falls in for the one before it.
type round struct {
	// waiting are the messages for the next account, in their order.
	waiting []*job
	// why is the first failure that sent a message there; its Status is "" while
	// there was none.
	why smtp.Outcome
}

// earlier is what became of the recipients who wait for the next account: the
// last word, if that comes to nothing.
type earlier struct {
	result yan.Result // of those who wait
	as     verdict.SentAs
}

// as is in whose name a message goes in this round.
func (r *delivery) as(j *job, result yan.Result) verdict.SentAs {
	as := verdict.SentAs{Server: r.server, From: j.envelope.From(), MessageID: result.MessageID, ServerID: result.ServerID}
	if r.s.id != nil {
		as.Account = r.s.id.Name
	}
	return as
}

// fallsBack reports whether another account takes over for a message, or for
// some of its recipients. It does where the failure is temporary, never where the
// server may have the message.
func (r *delivery) fallsBack(ctx context.Context, j *job, result yan.Result) bool {
	if r.next == nil || ctx.Err() != nil || r.s.QuitAfter != "" {
		return false
	}
	places := r.forAnother(result)
	if len(places) == 0 || !r.canTakeOver(j) {
		return false
	}
	if r.round.why.Status == "" {
		r.round.why = result.Recipients[places[0]]
	}
	r.addDueCopy(j, result) // another account sends another message
	r.wait(j, result, places)
	return true
}

// wait lets the recipients at these places of a result wait for the next
// account. What became of the others stands.
func (r *delivery) wait(j *job, result yan.Result, places []int) {
	as := r.as(j, result)
	if len(places) < len(result.Recipients) {
		r.keepDecided(j, result.Recipients, places, as)
	}
	now := result.Recipients
	result.Recipients = nil
	for _, i := range places {
		result.Recipients = append(result.Recipients, now[i])
	}
	j.earlier = &earlier{result, as}
	j.insteadOf = append(j.insteadOf, verdict.Handover{Account: as.Account, Outcome: result.Recipients[0]})
	if j.file != nil { // thousands may wait, and few files can be open
		j.close()
	}
	j.waits = true
	r.round.waiting = append(r.round.waiting, j)
}

// keepDecided notes what became of the recipients that do not wait.
func (r *delivery) keepDecided(j *job, now []smtp.Outcome, waiting []int, as verdict.SentAs) {
	n := j.envelope.Len()
	pending := j.pending()
	if j.logged == nil {
		j.logged = make([]smtp.Outcome, n)
	}
	if j.via == nil {
		j.via = make([]*verdict.SentAs, n)
	}
	for i, place := range pending {
		if !slices.Contains(waiting, i) {
			j.logged[place], j.via[place] = now[i], &as
		}
	}
	if j.entry == nil {
		return
	}
	entry := *j.entry
	entry.To, entry.Copies = nil, nil
	for _, i := range waiting {
		entry.To, entry.Copies = append(entry.To, j.entry.To[i]), append(entry.Copies, j.entry.Copies[i])
	}
	j.entry = &entry
}

// canTakeOver: a whole message stays what it is, and can only go from an account
// that serves its sender.
func (r *delivery) canTakeOver(j *job) bool {
	if j.message != nil || r.next.Serves(j.envelope.From()) {
		return true
	}
	r.noteOnce(r.a.T("Account %s does not take over: it does not serve the sender %s.", r.next.Name, j.envelope.From()))
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
	if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, smtpclient.ErrContent) || verdict.IsOurData(o.Err) {
		return false
	}
	return yan.Explain(o, r.server.Provider.ID).Permanence == diagnosis.Temporary
}

// cameToNothing reports whether the account that took over never got as far as
// the message, so that what became of it before is the last word.
func cameToNothing(j *job, result yan.Result) bool {
	return j.earlier != nil && !slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool {
		return o.Status != smtp.NotTried || !o.Stage.BeforeMail() && !errors.As(o.Err, new(notBegun))
	})
}

// fallBack sends what waits from the next account, and from the one after it.
func (r *delivery) fallBack(ctx context.Context) error {
	for r.next != nil && r.round.why.Status != "" {
		r.waitRest()
		r.tellRest(ctx)
		r.noteOnce(r.a.T("Account %s: %s (at %s); account %s takes over.", r.s.id.Name, r.a.Why(r.round.why), string(r.round.why.Stage), r.next.Name))
		if err := r.switchTo(ctx); err != nil {
			r.stay(ctx, err)
			return nil
		}
		if err := r.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stay tells what became of those who wait for an account that can't be had.
func (r *delivery) stay(ctx context.Context, err error) {
	r.noteOnce(r.a.T("Account %s does not take over: %v.", r.next.Name, err))
	for _, j := range r.round.waiting {
		r.tellEarlier(ctx, j)
	}
	r.next, r.todo, r.round = nil, nil, round{}
}

// waitRest lets the messages wait that the run never came to, if what ended it
// may pass. They share the fate of the one that did.
func (r *delivery) waitRest() {
	if !errors.Is(r.end, verdict.ErrHopeless) || !r.passes(r.endedBy) {
		return
	}
	for _, j := range r.todo {
		if j.taken || j.failed || j.waits || j.told || !r.canTakeOver(j) {
			continue
		}
		result := yan.Result{MessageID: j.messageID, Size: j.size}
		var places []int
		for i, to := range j.now().To() {
			o := r.endedBy
			o.Recipient = to
			result.Recipients, places = append(result.Recipients, o), append(places, i)
		}
		r.wait(j, result, places)
	}
}

// switchTo makes the next account the one that sends. When that can't be done,
// everything is as it was.
func (r *delivery) switchTo(ctx context.Context) error {
	_ = r.client.Close()  // everything it was given is settled
	r.background.Wait()   // nothing is noted ahead any more
	if r.noteErr != nil { // what can't be noted can't be sent
		return r.noteErr
	}
	id, flags, server := r.s.id, r.s.ServerFlags, r.server
	r.s.id, r.s.ServerFlags = r.next, r.next.Given
	err := r.a.Fill(&r.s.ServerFlags, r.s.id, r.changed)
	if err == nil {
		r.server, err = r.s.Target(r.a.Servers, r.s.principal(smtp.Address{}))
	}
	if err == nil {
		err = r.open(ctx)
	}
	if err != nil {
		r.s.id, r.s.ServerFlags, r.server = id, flags, server
		return err
	}
	r.beginRound(ctx)
	r.findNext()
	return nil
}

// beginRound makes what waits what is to be sent. Nothing is left of how far the
// messages had come: above all, each has to be noted in the log anew before it is
// sent.
func (r *delivery) beginRound(ctx context.Context) {
	waiting := r.round.waiting
	r.round = round{}
	var todo []*job
	for _, j := range waiting {
		if err := r.recompose(j); err != nil {
			r.noteOnce(r.a.T("Account %s does not take over: %v.", r.s.id.Name, err))
			r.tellEarlier(ctx, j)
			continue
		}
		todo = append(todo, j)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range todo {
		j.taken, j.failed, j.safe, j.begun, j.waits = false, false, false, false, false
	}
	r.todo, r.taken, r.unnoted, r.ahead, r.end, r.lost = todo, nil, nil, 0, nil, 0
}

// recompose makes the message anew in the name of the account that takes over,
// unless that serves its sender. Answers go where they would have gone.
func (r *delivery) recompose(j *job) error {
	id := r.s.id
	if j.message == nil || id.Serves(j.envelope.From()) {
		return nil
	}
	m := *j.message
	m.From, m.Sender, m.Headers, m.ReplyTo = "", "", slices.Clone(m.Headers), j.answers
	if err := r.a.Introduce(&m, id.Account, r.s.noSignature); err != nil {
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
	j.handOverContent()
	j.content, j.envelope, j.size, j.messageID = content, envelope, content.Size(), content.MessageID()
	return nil
}

// findNext looks up the account that falls in for the one that sends now.
func (r *delivery) findNext() {
	r.next = nil
	if id := r.s.id; id != nil && id.Fallback != "" && !r.s.noFallback {
		if acc, ok := id.File.Account(id.Fallback); ok {
			r.next = &accounts.Identity{Account: acc, File: id.File, Secrets: id.Secrets, Given: id.Given}
		}
	}
}

// noteOnce tells people, even where nobody sits at a terminal, what the results
// alone would not explain.
func (r *delivery) noteOnce(text string) {
	if r.s.quiet || r.s.json || r.told[text] {
		return
	}
	r.told[text] = true
	r.bar.around(true, func() { r.a.Errf("%s\n", text) })
}
