package sendcmd

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// queueing are the flags of send that are about the outbox.
type queueing struct {
	when     string // a word of account.QueueWords
	outbox   string
	at       string
	expires  string
	key      string
	priority string
	tags     []string
}

func (o *queueing) registerQueue(a *runner, cmd *cobra.Command) {
	o.priority = queue.Normal.Word()
	command.Add(cmd, a.T("Later (outbox):"),
		command.NewOption("queue", "", &o.when, "", a.T("put the message into the outbox instead of sending it; --queue=offline only where the server can't be reached")),
		command.NewOption("at", "", &o.at, a.T("TIME"), a.T("do not send it before: 15:30, \"tomorrow 9:00\", +2h, or a date with a time; puts it into the outbox")),
		command.NewOption("expires", "", &o.expires, a.T("DURATION|TIME"), a.T("try for so long, or until then (default: 5d)")),
		command.NewOption("key", "", &o.key, a.T("WORD"), a.T("enqueue a message with this key only once, however often this is run")),
		command.NewOption("priority", "", &o.priority, "high|normal|low", a.T("what goes first among what is due")),
		command.NewOption("tag", "", &o.tags, a.T("WORD"), a.T("a word to find it by; repeatable")),
		command.NewOption("outbox", "", &o.outbox, a.T("PATH|URL"), outboxes.OutboxText(a.Outboxes)),
	)
	cmd.Flags().Lookup("queue").NoOptDefVal = account.QueueAlways
	command.Complete(cmd, "queue", account.QueueWords)
	command.Complete(cmd, "priority", queue.PriorityWords)
}

// checkQueue finds out whether and when the outbox is meant, and flags that make no
// sense with it.
func (a *runner) checkQueue(cmd *cobra.Command, s *sendFlags) error {
	o, changed := &s.queueing, cmd.Flags().Changed
	if !changed("queue") {
		if settings, err := a.OutboxSettings(); err == nil { // what is wrong with it is said where it is used
			o.when, a.Origin["queue"] = settings.Queue, "[outbox] queue"
		}
	}
	switch o.when { // a variable may say it like any switch
	case "true", "1":
		o.when = account.QueueAlways
	case "false", "0", "":
		o.when = account.QueueNever
	}
	if !slices.Contains(account.QueueWords(), o.when) {
		return a.Wrongf("%s %q: want one of %s", a.Name("queue"), o.when, a.Listed(account.QueueWords()))
	}
	byFlag := changed("queue") && a.Origin["queue"] == ""
	if err := command.NoneEmpty(a.Context, cmd, "at", "expires", "key", "tag"); err != nil {
		return err
	}
	if changed("at") {
		if byFlag && o.when != account.QueueAlways {
			return a.Wrongf("%s and %s are both given; what waits for its time is in the outbox", a.Name("at"), "--queue="+o.when)
		}
		o.when = account.QueueAlways
	}
	if o.when == account.QueueNever {
		for _, flag := range []string{"expires", "key", "priority", "tag"} {
			if changed(flag) && a.Origin[flag] == "" {
				return a.Wrongf("%s needs --queue: it is about the outbox", a.Name(flag))
			}
		}
		return nil
	}
	offline := o.when == account.QueueOffline && (s.log != "" || s.QuitAfter != "" || s.dryRun || s.policy == "all" && changed("to-policy"))
	if !byFlag && !changed("at") && (offline || s.Server != "") {
		o.when = account.QueueNever // what is said for all messages is for those that it fits
		return nil
	}
	if changed("to-policy") && s.policy == "all" {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s all can't be used with %s", a.Name("to-policy"), a.queueName(byFlag))),
			a.T("In the outbox each recipient is on its own: who is deferred is tried again later, when others have the message already."))
	}
	for _, flag := range []string{"log", "resend", "window", "quit-after", "transcript"} {
		if changed(flag) && (o.when == account.QueueAlways || flag != "transcript" && flag != "window") && a.Origin[flag] == "" {
			return a.Wrongf("%s can't be used with %s, which does not send now", a.Name(flag), a.queueName(byFlag))
		}
	}
	return a.checkItem(o)
}

// queueName is what puts the message into the outbox.
func (a *runner) queueName(byFlag bool) string {
	if byFlag || a.Origin["queue"] == "" {
		return "--queue"
	}
	return a.Name("queue")
}

// checkItem checks what is said of the message.
func (a *runner) checkItem(o *queueing) error {
	if _, ok := queue.PriorityOf(o.priority); !ok {
		return a.Wrongf("%s %q: want one of %s", a.Name("priority"), o.priority, a.Listed(queue.PriorityWords()))
	}
	_, err := a.newOrder(o)
	return err
}

// newItem is what the flags say of a message.
func (a *runner) newOrder(o *queueing) (m submission.Order, err error) {
	m.Key, m.Tags = o.key, o.tags
	m.Priority, _ = queue.PriorityOf(o.priority)
	from := a.Now()
	if o.at != "" {
		if m.NotBefore, err = a.FutureTime("at", o.at); err != nil {
			return m, err
		}
		from = m.NotBefore
	}
	if o.expires != "" {
		m.Expires, err = a.Expiry("expires", o.expires, from)
	}
	return m, err
}

// enqueue puts messages into the outbox and tells of each.
func (a *runner) enqueue(ctx context.Context, s *sendFlags, jobs []*sending.Message) error {
	if s.id == nil {
		return a.noAccountToQueue(s)
	}
	if s.key != "" && len(jobs) > 1 {
		return a.Wrongf("%s is the name of one message, and here are %d", a.Name("key"), len(jobs))
	}
	store, err := a.OpenQueue(ctx, s.outbox)
	if err != nil {
		return err
	}
	defer store.Close() // what has returned is on the disk
	order, err := a.newOrder(&s.queueing)
	if err != nil {
		return err
	}
	order.Account = s.id.Name
	kept, fresh := 0, false
	for some := range slices.Chunk(jobs, together(len(jobs))) {
		var failed *enqueued
		for _, e := range a.enqueueSome(ctx, s, store, order, some) {
			if e.err != nil {
				if failed == nil || errors.Is(e.err, queue.ErrUncertain) && !errors.Is(failed.err, queue.ErrUncertain) {
					failed = &e // what is not known counts before what is not kept
				}
				continue
			}
			kept++
			fresh = fresh || !e.receipt.Duplicate
			a.tellEnqueued(s, e, len(jobs) > 1)
		}
		if failed != nil {
			return a.notEnqueued(ctx, s, store, failed, len(jobs), kept)
		}
	}
	if !fresh {
		return nil
	}
	next := a.WhatNext(ctx, store, s.outbox, order.NotBefore.After(a.Now()))
	if s.quiet || s.json {
		return nil
	}
	if len(jobs) > 1 {
		a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Bold, a.T("%d messages are in the outbox.", kept)))
	}
	a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Dim, next))
	return nil
}

// noAccountToQueue: what is in the outbox goes out from an account, whose secret is at
// hand when the time has come.
func (a *runner) noAccountToQueue(s *sendFlags) error {
	err := errors.New(a.T("the outbox sends from an account, and there is none for this message"))
	if s.Server != "" {
		err = errors.New(a.T("the outbox sends from an account: leave out %s", a.Name("server")))
	}
	return command.Fail(command.ExitConfig, err, a.T("Make one with '%s'; who is to log in later needs a secret that is kept.", "yan login"))
}

// together is how many messages are put in at the same time. They share a commit then,
// which is what takes the time, and are no more in order: a few, like the parts of
// something, keep theirs.
func together(messages int) int {
	const few, many = 100, 32
	if messages <= few {
		return 1
	}
	return many
}

// enqueued is what came of one message.
type enqueued struct {
	message *sending.Message
	item    outbox.NewMessage
	receipt outbox.EnqueueResult
	err     error
}

// enqueueSome keeps messages: where it gives no error, they are on the disk.
func (a *runner) enqueueSome(ctx context.Context, s *sendFlags, store outbox.Store, order submission.Order, jobs []*sending.Message) []enqueued {
	list := make([]enqueued, len(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		all.Go(func() {
			list[i].message = j
			list[i].item, list[i].receipt, list[i].err = a.enqueueOne(ctx, s, store, order, j)
		})
	}
	all.Wait()
	return list
}

func (a *runner) enqueueOne(ctx context.Context, s *sendFlags, store outbox.Store, order submission.Order, j *sending.Message) (m outbox.NewMessage, r outbox.EnqueueResult, err error) {
	if err := j.Open(); err != nil {
		return m, r, a.rawProblem(j, err)
	}
	if j.Source != nil {
		defer j.Close()
	}
	letter, err := letterOf(s, j)
	if err == nil {
		m, err = letter.New(order)
	}
	if err != nil {
		return m, r, command.Fail(command.ExitData, sentence.Errorf("%s: %w", a.T("the message can't be put into the outbox"), err), "")
	}
	r, err = store.Enqueue(ctx, m)
	return m, r, err
}

func letterOf(s *sendFlags, j *sending.Message) (*submission.Letter, error) {
	if composed, ok := j.Content.(*message.Content); ok && j.Composed != nil {
		return submission.Composed(composed, s.subject)
	}
	return submission.Raw(j.Content, j.Envelope)
}

// notEnqueued says why a message is not in the outbox, and how many are.
func (a *runner) notEnqueued(ctx context.Context, s *sendFlags, store outbox.Store, e *enqueued, all, kept int) error {
	if errors.Is(e.err, queue.ErrConflict) {
		other := ""
		if page, listErr := store.List(ctx, queue.Filter{Account: s.id.Name, Key: s.key, Limit: 1}); listErr == nil && len(page.Entries) > 0 {
			other = page.Entries[0].ID.String()
		}
		return command.Fail(command.ExitData, errors.New(a.T("%s %q is that of message %s, which is not the same", a.Name("key"), s.key, other)),
			a.T("Nothing was enqueued. What has the key: %s", "yan queue show "+other))
	}
	if errors.Is(e.err, queue.ErrUncertain) {
		return a.uncertain(s, e, all, kept)
	}
	var failed *command.Failure
	if !errors.As(e.err, &failed) && !errors.As(a.OutboxProblem(s.outbox, e.err), &failed) {
		return e.err
	}
	text := a.T("the message is neither sent nor in the outbox")
	if all > 1 {
		text = a.T("%s is neither sent nor in the outbox; %d of %d messages are", a.nameOf(e.message), kept, all)
	}
	return command.Fail(failed.Code, sentence.Errorf("%s: %w", text, failed.Err), failed.Hint)
}

// uncertain: nobody knows whether the message is in the outbox.
func (a *runner) uncertain(s *sendFlags, e *enqueued, all, kept int) error {
	if s.json {
		u := newEnqueued(e.message, e.item, e.receipt, e.item.Expires)
		u.Event = "uncertain"
		a.PrintJSON(u)
	}
	text := a.T("whether the message is in the outbox is not known")
	if all > 1 {
		text = a.T("whether %s is in the outbox is not known; %d of %d messages are", a.nameOf(e.message), kept, all)
	}
	hint := a.T("Look for its Message-ID before you send it again: %s. With --key a repeated command adds nothing twice.", "yan queue list --all --json")
	if s.key != "" {
		hint = a.T("Run the same command again: with the same --key nothing is added twice.")
	}
	return command.Fail(command.ExitUnknown, sentence.Errorf("%s: %w", text, e.err), hint)
}

// tellEnqueued says what is in the outbox now.
func (a *runner) tellEnqueued(s *sendFlags, e enqueued, several bool) {
	j, item, receipt := e.message, e.item, e.receipt
	expires := item.Expires
	if expires.IsZero() {
		expires = later(a.Now(), item.NotBefore).Add(outbox.Lifetime)
	}
	switch {
	case s.json:
		a.PrintJSON(newEnqueued(j, item, receipt, expires))
		return
	case s.quiet:
		return
	}
	name := ""
	if several {
		name = a.nameOf(j) + "  "
	}
	to := console.OneLine(j.Envelope.To()[0].String())
	if n := j.Envelope.Len(); n > 1 {
		to += " +" + strconv.Itoa(n-1)
	}
	if receipt.Duplicate {
		a.Outf("%s %s%s\n", a.Paint(a.StdoutWidth, console.Yellow, "–"), name, a.T("%s: message %d is the same and has this key already; nothing was added", to, receipt.ID))
		return
	}
	line := a.T("%s: in the outbox as message %d", to, receipt.ID)
	if item.NotBefore.After(a.Now()) {
		line += " · " + a.T("to be sent %s (%s)", a.Moment(item.NotBefore), a.Away(item.NotBefore))
	}
	a.Outf("%s %s%s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), name, line)
	if !several {
		a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Dim, "  "+a.T("%s from account %s", console.Size(item.Content.Size()), item.Account)+" · Message-ID: "+item.MessageID+
			" · "+a.T("tried until %s", a.Moment(expires))))
	}
}

func later(t, u time.Time) time.Time {
	if u.After(t) {
		return u
	}
	return t
}
