package sendcmd

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// enqueuer enqueues the messages of one command line.
type enqueuer struct {
	*sendCommand
	s *sendFlags
}

// enqueueAll puts messages into the outbox and reports each.
func (q *enqueuer) enqueueAll(ctx context.Context, messages []*sending.Outgoing) error {
	if q.s.id == nil {
		return q.noAccountError()
	}
	if q.s.key != "" && len(messages) > 1 {
		return q.Wrongf("%s can name only one message, but there are %d", q.Name("key"), len(messages))
	}
	store, err := q.OpenQueue(ctx, q.s.outbox)
	if err != nil {
		return err
	}
	defer store.Close() // enqueued messages are on disk already
	order, err := q.newOrder(&q.s.outboxFlags)
	if err != nil {
		return err
	}
	order.Account = q.s.id.Name
	kept, fresh := 0, false
	for some := range slices.Chunk(messages, enqueueConcurrency(len(messages))) {
		var failed *enqueueOutcome
		for _, e := range q.enqueueSome(ctx, store, order, some) {
			if e.err != nil {
				if failed == nil || errors.Is(e.err, queue.ErrUncertain) && !errors.Is(failed.err, queue.ErrUncertain) {
					failed = &e // report an uncertain message rather than a failed one
				}
				continue
			}
			kept++
			fresh = fresh || !e.receipt.Duplicate
			q.printEnqueued(e, len(messages) > 1)
		}
		if failed != nil {
			return q.notEnqueuedError(ctx, store, failed, len(messages), kept)
		}
	}
	if !fresh {
		return nil
	}
	next := q.NextStepHint(ctx, store, q.s.outbox, order.NotBefore.After(q.Now()))
	if q.s.quiet || q.s.json {
		return nil
	}
	if len(messages) > 1 {
		q.Outf("%s\n", q.Paint(q.StdoutWidth, console.Bold, q.T("%d messages are in the outbox.", kept)))
	}
	q.Outf("%s\n", q.Paint(q.StdoutWidth, console.Dim, next))
	return nil
}

// noAccountError returns the error for a message without an account: the outbox logs in later,
// with the account's stored secret.
func (q *enqueuer) noAccountError() error {
	err := errors.New(q.T("the outbox sends from an account, and this message has none"))
	if q.s.Server != "" {
		err = errors.New(q.T("the outbox sends from an account: remove %s", q.Name("server")))
	}
	return command.Fail(command.ExitConfig, err, q.T("Create one with '%s'; to log in later it needs a stored secret.", "yan login"))
}

// enqueueConcurrency returns how many messages are enqueued at the same time. They share a commit, which
// takes most of the time, but lose their order. Up to 100 messages keep theirs.
func enqueueConcurrency(messages int) int {
	const few, many = 100, 32
	if messages <= few {
		return 1
	}
	return many
}

// enqueueOutcome is the result of enqueueing one message.
type enqueueOutcome struct {
	message *sending.Outgoing
	item    outbox.NewMessage
	receipt outbox.EnqueueResult
	err     error
}

// enqueueSome enqueues messages concurrently. A message without an error is on disk.
func (q *enqueuer) enqueueSome(ctx context.Context, store outbox.Enqueuer, order submission.Order, messages []*sending.Outgoing) []enqueueOutcome {
	list := make([]enqueueOutcome, len(messages))
	var all sync.WaitGroup
	for i, j := range messages {
		all.Go(func() {
			list[i].message = j
			list[i].item, list[i].receipt, list[i].err = q.enqueueOne(ctx, store, order, j)
		})
	}
	all.Wait()
	return list
}

func (q *enqueuer) enqueueOne(ctx context.Context, store outbox.Enqueuer, order submission.Order, j *sending.Outgoing) (m outbox.NewMessage, r outbox.EnqueueResult, err error) {
	if err := j.Open(); err != nil {
		return m, r, q.rawProblem(j, err)
	}
	if j.Source != nil {
		defer j.Close()
	}
	letter, err := prepareMessage(q.s, j)
	if err == nil {
		m, err = letter.NewMessage(order)
	}
	if err != nil {
		return m, r, command.Fail(command.ExitData, localerr.Errorf("%s: %w", q.T("can't put the message into the outbox"), err), "")
	}
	r, err = store.Enqueue(ctx, m)
	return m, r, err
}

func prepareMessage(s *sendFlags, j *sending.Outgoing) (*submission.PreparedMessage, error) {
	if composed, ok := j.Content.(*message.Content); ok && j.Composed != nil {
		return submission.FromComposed(composed, s.subject)
	}
	return submission.Raw(j.Content, j.Envelope)
}

// notEnqueuedError returns the error for a message that is not in the outbox. It says how many others
// are.
func (q *enqueuer) notEnqueuedError(ctx context.Context, store outbox.Store, e *enqueueOutcome, all, kept int) error {
	if errors.Is(e.err, queue.ErrConflict) {
		other := ""
		if page, listErr := store.List(ctx, queue.Filter{Account: q.s.id.Name, Key: q.s.key, Limit: 1}); listErr == nil && len(page.Entries) > 0 {
			other = page.Entries[0].ID.String()
		}
		return command.Fail(command.ExitData, errors.New(q.T("%s %q is already used by message %s, which is different", q.Name("key"), q.s.key, other)),
			q.T("Nothing was enqueued. To see the message with this key: %s", "yan queue show "+other))
	}
	if errors.Is(e.err, queue.ErrUncertain) {
		return q.uncertainError(e, all, kept)
	}
	var failed *command.Failure
	if !errors.As(e.err, &failed) && !errors.As(q.OutboxProblem(q.s.outbox, e.err), &failed) {
		return e.err
	}
	text := q.T("the message is neither sent nor in the outbox")
	if all > 1 {
		text = q.T("%s is neither sent nor in the outbox; %d of %d messages are", q.nameOf(e.message), kept, all)
	}
	return command.Fail(failed.Code, localerr.Errorf("%s: %w", text, failed.Err), failed.Hint)
}

// uncertainError returns the error for a message that may or may not be in the outbox.
func (q *enqueuer) uncertainError(e *enqueueOutcome, all, kept int) error {
	if q.s.json {
		u := newEnqueued(e.message, e.item, e.receipt, e.item.Expires)
		u.Event = "uncertain"
		q.PrintJSON(u)
	}
	text := q.T("it is unknown whether the message is in the outbox")
	if all > 1 {
		text = q.T("it is unknown whether %s is in the outbox; %d of %d messages are", q.nameOf(e.message), kept, all)
	}
	hint := q.T("Search for its Message-ID before you send it again: %s. With --key a repeated command adds nothing twice.", "yan queue list --all --json")
	if q.s.key != "" {
		hint = q.T("Run the same command again: with the same --key nothing is added twice.")
	}
	return command.Fail(command.ExitUnknown, localerr.Errorf("%s: %w", text, e.err), hint)
}

// printEnqueued prints the ID, the times and the account of an enqueued message.
func (q *enqueuer) printEnqueued(e enqueueOutcome, several bool) {
	j, item, receipt := e.message, e.item, e.receipt
	expires := item.Expires
	if expires.IsZero() {
		expires = laterTime(q.Now(), item.NotBefore).Add(outbox.Lifetime)
	}
	switch {
	case q.s.json:
		q.PrintJSON(newEnqueued(j, item, receipt, expires))
		return
	case q.s.quiet:
		return
	}
	name := ""
	if several {
		name = q.nameOf(j) + "  "
	}
	to := console.OneLine(j.Envelope.To()[0].String())
	if n := j.Envelope.Len(); n > 1 {
		to += " +" + strconv.Itoa(n-1)
	}
	if receipt.Duplicate {
		q.Outf("%s %s%s\n", q.Paint(q.StdoutWidth, console.Yellow, "–"), name, q.T("%s: message %d is the same and has this key already; nothing was added", to, receipt.ID))
		return
	}
	line := q.T("%s: in the outbox as message %d", to, receipt.ID)
	if item.NotBefore.After(q.Now()) {
		line += " · " + q.T("will be sent %s (%s)", q.Moment(item.NotBefore), q.Away(item.NotBefore))
	}
	q.Outf("%s %s%s\n", q.Paint(q.StdoutWidth, console.Green, "✓"), name, line)
	if !several {
		q.Outf("%s\n", q.Paint(q.StdoutWidth, console.Dim, "  "+q.T("%s from account %s", console.Size(item.Content.Size()), item.Account)+" · Message-ID: "+item.MessageID+
			" · "+q.T("tried until %s", q.Moment(expires))))
	}
}

func laterTime(t, u time.Time) time.Time {
	if u.After(t) {
		return u
	}
	return t
}

func newEnqueued(j *sending.Outgoing, item outbox.NewMessage, receipt outbox.EnqueueResult, expires time.Time) jsonout.Enqueued {
	e := jsonout.Enqueued{Event: "enqueued", ID: int64(receipt.ID), File: j.File, Number: j.Number, Account: item.Account, From: j.Envelope.From().String(),
		MessageID: item.MessageID, Size: item.Content.Size(), Key: item.Key, NotBefore: jsonout.OptionalTime(item.NotBefore), Expires: expires.UTC(),
		Priority: item.Priority.Word(), Tags: item.Tags}
	if receipt.Duplicate {
		e.Event = "duplicate"
	}
	for _, to := range j.Envelope.To() {
		e.To = append(e.To, to.String())
	}
	return e
}
