package sending

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

// senderRound holds the messages that one sender leaves to the next.
type senderRound struct {
	waiting []*Outgoing // for the next sender, in order
	// why is the first failure that made a message wait; its Status is "" if there was none.
	why smtp.Outcome
}

// nextSender returns the sender that takes over from the current one; nil if there is none.
func (r *Run) nextSender() *AccountSender {
	if len(r.fallbacks) == 0 {
		return nil
	}
	return &r.fallbacks[0]
}

// fallsBack lets the recipients of a message wait for the next sender if their failure is
// temporary. It never does if the server may have the message.
func (r *Run) fallsBack(ctx, sending context.Context, m *Outgoing, result yan.Result) bool {
	if r.nextSender() == nil || ctx.Err() != nil || r.o.Probe {
		return false
	}
	places := retryablePlaces(result, r.o.Policy, r.server.Provider.ID)
	if len(places) == 0 || !r.canTakeOver(sending, m) {
		return false
	}
	if r.round.why.Status == "" {
		r.round.why = result.Recipients[places[0]]
	}
	if r.sender.OpenSent != nil {
		r.addDueCopy(m, result) // the other account sends a different message
	}
	r.deferToNext(m, result, places)
	return true
}

// deferToNext lets the recipients at these places of a result wait for the next sender. The outcomes of
// the others are final.
func (r *Run) deferToNext(m *Outgoing, result yan.Result, places []int) {
	as := r.sentAs(m, result)
	if len(places) < len(result.Recipients) {
		m.keepDecided(result.Recipients, places, as)
	}
	now := result.Recipients
	result.Recipients = nil
	for _, i := range places {
		result.Recipients = append(result.Recipients, now[i])
	}
	m.earlier = &earlierResult{result, as}
	m.insteadOf = append(m.insteadOf, Handover{Account: as.Account, Outcome: result.Recipients[0]})
	if m.Source != nil { // thousands may wait, but few files can be open
		m.Close()
	}
	m.waits = true
	r.round.waiting = append(r.round.waiting, m)
}

// keepDecided stores the outcomes of the recipients that do not wait.
func (m *Outgoing) keepDecided(now []smtp.Outcome, waiting []int, as SentAs) {
	n := m.Envelope.Len()
	places := m.roundPlaces()
	if m.decided == nil {
		m.decided = make([]smtp.Outcome, n)
	}
	if m.via == nil {
		m.via = make([]*SentAs, n)
	}
	for i, place := range places {
		if !slices.Contains(waiting, i) {
			m.decided[place], m.via[place] = now[i], &as
		}
	}
	if m.entry == nil {
		return
	}
	entry := *m.entry
	entry.To, entry.Copies = nil, nil
	for _, i := range waiting {
		entry.To, entry.Copies = append(entry.To, m.entry.To[i]), append(entry.Copies, m.entry.Copies[i])
	}
	m.entry = &entry
}

// canTakeOver reports whether the next sender can send a message. A whole message is not changed,
// so it needs an account that serves its sender.
func (r *Run) canTakeOver(ctx context.Context, m *Outgoing) bool {
	from := m.Envelope.From()
	if m.Composed != nil || r.nextSender().Serves(from) {
		return true
	}
	r.o.Observe(ctx, NotTakenOver{Account: r.nextSender().Account, Sender: from})
	return false
}

// retryablePlaces returns the places of the recipients that another sender may try. A message for all
// recipients or none is not divided.
func retryablePlaces(result yan.Result, policy smtpclient.Policy, provider string) (places []int) {
	temporary := false
	for i, o := range result.Recipients {
		switch {
		case o.Status == smtp.Accepted, o.Status == smtp.Unknown:
		case errors.Is(o.Err, smtpclient.ErrAnotherRefused):
			places = append(places, i)
		case isTemporary(o, provider):
			temporary = true
			places = append(places, i)
		case o.Status == smtp.Refused && policy == smtpclient.All:
			return nil
		}
	}
	if !temporary {
		return nil
	}
	return places
}

// isTemporary reports whether a failure of the server or the network passes with time, whatever its
// code; a limit does. A fault of the message is not temporary: another server would report it, too.
func isTemporary(o smtp.Outcome, provider string) bool {
	if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, smtpclient.ErrContent) || IsMessageFault(o.Err) {
		return false
	}
	return yan.Explain(o, provider).Permanence == diagnosis.Temporary
}

// fallBack sends the waiting messages from each of the next senders in turn.
func (r *Run) fallBack(ctx context.Context) error {
	for r.nextSender() != nil && r.round.why.Status != "" {
		r.waitRest(ctx)
		r.reportRest(ctx, r.stopReason(ctx))
		r.o.Observe(ctx, TookOver{From: r.sender.Account, To: r.nextSender().Account, Outcome: r.round.why})
		if err := r.switchSender(ctx); err != nil {
			r.reportWaiting(ctx, err)
			return nil
		}
		if err := r.sendRound(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reportWaiting reports the messages that wait for a sender that can't be opened.
func (r *Run) reportWaiting(ctx context.Context, err error) {
	r.o.Observe(ctx, NotTakenOver{Account: r.nextSender().Account, Err: err})
	for _, m := range r.round.waiting {
		r.reportEarlier(ctx, m)
	}
	r.fallbacks, r.pending, r.round = nil, nil, senderRound{}
}

// waitRest lets the messages that were never begun wait for the next sender, if the failure that
// ended the run is temporary. They get the outcome of that failure.
func (r *Run) waitRest(ctx context.Context) {
	r.mu.Lock()
	end := r.end
	r.mu.Unlock()
	if !errors.Is(end, ErrHopeless) || !isTemporary(r.endedBy, r.server.Provider.ID) {
		return
	}
	for _, m := range r.pending {
		if m.taken || m.failed || m.waits || m.reported || !r.canTakeOver(ctx, m) {
			continue
		}
		result := yan.Result{MessageID: m.MessageID, Size: m.Size}
		var places []int
		for i, to := range m.roundEnvelope().To() {
			o := r.endedBy
			o.Recipient = to
			result.Recipients, places = append(result.Recipients, o), append(places, i)
		}
		r.deferToNext(m, result, places)
	}
}

// switchSender opens the next sender and makes the waiting messages pending. If it can't
// be opened, nothing changes.
func (r *Run) switchSender(ctx context.Context) error {
	_ = r.client.Close() // all its messages are settled
	if r.attempts != nil {
		if err := r.attempts.waitWritten(); err != nil { // a message that can't be logged can't be sent
			return err
		}
	}
	client, server, err := r.nextSender().Open(ctx)
	if err != nil {
		return err
	}
	r.client, r.server = client, server
	r.sender, r.fallbacks = r.fallbacks[0], r.fallbacks[1:]
	r.beginRound(ctx)
	return nil
}

// beginRound makes the waiting messages pending and resets their progress. The log needs a new
// attempt at each before it is sent.
func (r *Run) beginRound(ctx context.Context) {
	waiting := r.round.waiting
	r.round = senderRound{}
	var pending []*Outgoing
	for _, m := range waiting {
		if err := r.sender.recomposeMessage(m); err != nil {
			r.o.Observe(ctx, NotTakenOver{Account: r.sender.Account, Err: err})
			r.reportEarlier(ctx, m)
			continue
		}
		pending = append(pending, m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range pending {
		m.taken, m.failed, m.waits = false, false, false
	}
	r.pending, r.taken, r.end, r.lost = pending, nil, nil, 0
}

// recomposeMessage composes a message again in the name of the account that takes over, unless that
// account serves the sender. Replies go to the original address.
func (s *AccountSender) recomposeMessage(m *Outgoing) error {
	if m.Composed == nil || s.Serves(m.Envelope.From()) {
		return nil
	}
	c := *m.Composed
	c.From, c.Sender, c.Headers, c.ReplyTo = "", "", slices.Clone(c.Headers), m.ReplyTo
	if err := s.Introduce(&c); err != nil {
		return err
	}
	content, err := message.Compose(&c)
	if err != nil { // for example an attachment that can be read only once
		return err
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close() // report err instead
		return err
	}
	m.replaceContent(content)
	m.Envelope, m.Size, m.MessageID = envelope, content.Size(), content.MessageID()
	return nil
}
