package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
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

func (o *queueing) registerQueue(a *app, cmd *cobra.Command) {
	o.priority = priorityWord(outbox.Normal)
	add(cmd, a.T("Later (outbox):"),
		newOption("queue", "", &o.when, "", a.T("put the message into the outbox instead of sending it; --queue=offline only where the server can't be reached")),
		newOption("at", "", &o.at, a.T("TIME"), a.T("do not send it before: 15:30, \"tomorrow 9:00\", +2h, or a date with a time; puts it into the outbox")),
		newOption("expires", "", &o.expires, a.T("DURATION|TIME"), a.T("try for so long, or until then (default: 5d)")),
		newOption("key", "", &o.key, a.T("WORD"), a.T("enqueue a message with this key only once, however often this is run")),
		newOption("priority", "", &o.priority, "high|normal|low", a.T("what goes first among what is due")),
		newOption("tag", "", &o.tags, a.T("WORD"), a.T("a word to find it by; repeatable")),
		newOption("outbox", "", &o.outbox, a.T("PATH|URL"), outboxText(a)),
	)
	cmd.Flags().Lookup("queue").NoOptDefVal = account.QueueAlways
	complete(cmd, "queue", account.QueueWords)
	complete(cmd, "priority", priorityWords)
}

// checkQueue finds out whether and when the outbox is meant, and flags that make no
// sense with it.
func (a *app) checkQueue(cmd *cobra.Command, s *sendFlags) error {
	o, changed := &s.queueing, cmd.Flags().Changed
	if !changed("queue") {
		if settings, err := a.outboxSettings(); err == nil { // what is wrong with it is said where it is used
			o.when, a.origin["queue"] = settings.Queue, "[outbox] queue"
		}
	}
	switch o.when { // a variable may say it like any switch
	case "true", "1":
		o.when = account.QueueAlways
	case "false", "0", "":
		o.when = account.QueueNever
	}
	if !slices.Contains(account.QueueWords(), o.when) {
		return a.wrongf("%s %q: want one of %s", a.name("queue"), o.when, a.listed(account.QueueWords()))
	}
	byFlag := changed("queue") && a.origin["queue"] == ""
	if err := a.noneEmpty(cmd, "at", "expires", "key", "tag"); err != nil {
		return err
	}
	if changed("at") {
		if byFlag && o.when != account.QueueAlways {
			return a.wrongf("%s and %s are both given; what waits for its time is in the outbox", a.name("at"), "--queue="+o.when)
		}
		o.when = account.QueueAlways
	}
	if o.when == account.QueueNever {
		for _, flag := range []string{"expires", "key", "priority", "tag"} {
			if changed(flag) && a.origin[flag] == "" {
				return a.wrongf("%s needs --queue: it is about the outbox", a.name(flag))
			}
		}
		return nil
	}
	offline := o.when == account.QueueOffline && (s.log != "" || s.quitAfter != "" || s.dryRun || s.policy == "all" && changed("to-policy"))
	if !byFlag && !changed("at") && (offline || s.server != "") {
		o.when = account.QueueNever // what is said for all messages is for those that it fits
		return nil
	}
	if changed("to-policy") && s.policy == "all" {
		return fail(exitUsage, errors.New(a.T("%s all can't be used with %s", a.name("to-policy"), a.queueName(byFlag))),
			a.T("In the outbox each recipient is on its own: who is deferred is tried again later, when others have the message already."))
	}
	for _, flag := range []string{"log", "resend", "window", "quit-after", "transcript"} {
		if changed(flag) && (o.when == account.QueueAlways || flag != "transcript" && flag != "window") && a.origin[flag] == "" {
			return a.wrongf("%s can't be used with %s, which does not send now", a.name(flag), a.queueName(byFlag))
		}
	}
	return a.checkItem(o)
}

// queueName is what puts the message into the outbox.
func (a *app) queueName(byFlag bool) string {
	if byFlag || a.origin["queue"] == "" {
		return "--queue"
	}
	return a.name("queue")
}

// checkItem checks what is said of the message.
func (a *app) checkItem(o *queueing) error {
	if _, ok := priorityOf(o.priority); !ok {
		return a.wrongf("%s %q: want one of %s", a.name("priority"), o.priority, a.listed(priorityWords()))
	}
	_, err := a.newOrder(o)
	return err
}

// newItem is what the flags say of a message.
func (a *app) newOrder(o *queueing) (m submission.Order, err error) {
	m.Key, m.Tags = o.key, o.tags
	m.Priority, _ = priorityOf(o.priority)
	from := a.Now()
	if o.at != "" {
		if m.NotBefore, err = a.futureTime("at", o.at); err != nil {
			return m, err
		}
		from = m.NotBefore
	}
	if o.expires != "" {
		m.Expires, err = a.expiry("expires", o.expires, from)
	}
	return m, err
}

// enqueue puts messages into the outbox and tells of each.
func (a *app) enqueue(ctx context.Context, s *sendFlags, jobs []*job) error {
	if s.id == nil {
		return a.noAccountToQueue(s)
	}
	if s.key != "" && len(jobs) > 1 {
		return a.wrongf("%s is the name of one message, and here are %d", a.name("key"), len(jobs))
	}
	store, err := a.openQueue(ctx, s.outbox)
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
				if failed == nil || errors.Is(e.err, outbox.ErrUncertain) && !errors.Is(failed.err, outbox.ErrUncertain) {
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
	working := fresh && a.isServed(ctx, store, s.outbox)
	if s.quiet || s.json || !fresh {
		return nil
	}
	if len(jobs) > 1 {
		a.outf("%s\n", a.paint(a.StdoutWidth, bold, a.T("%d messages are in the outbox.", kept)))
	}
	a.outf("%s\n", a.paint(a.StdoutWidth, dim, a.nextSteps(working, order.NotBefore.After(a.Now()))))
	return nil
}

// noAccountToQueue: what is in the outbox goes out from an account, whose secret is at
// hand when the time has come.
func (a *app) noAccountToQueue(s *sendFlags) error {
	err := errors.New(a.T("the outbox sends from an account, and there is none for this message"))
	if s.server != "" {
		err = errors.New(a.T("the outbox sends from an account: leave out %s", a.name("server")))
	}
	return fail(exitConfig, err, a.T("Make one with '%s'; who is to log in later needs a secret that is kept.", "yan login"))
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
	job     *job
	item    outbox.New
	receipt outbox.Receipt
	err     error
}

// enqueueSome keeps messages: where it gives no error, they are on the disk.
func (a *app) enqueueSome(ctx context.Context, s *sendFlags, store outbox.Store, order submission.Order, jobs []*job) []enqueued {
	list := make([]enqueued, len(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		all.Go(func() {
			list[i].job = j
			list[i].item, list[i].receipt, list[i].err = a.enqueueOne(ctx, s, store, order, j)
		})
	}
	all.Wait()
	return list
}

func (a *app) enqueueOne(ctx context.Context, s *sendFlags, store outbox.Store, order submission.Order, j *job) (m outbox.New, r outbox.Receipt, err error) {
	if err := j.open(); err != nil {
		return m, r, a.rawProblem(j, err)
	}
	if j.file != nil {
		defer j.close()
	}
	letter, err := letterOf(s, j)
	if err == nil {
		m, err = letter.New(order)
	}
	if err != nil {
		return m, r, fail(exitData, sentence.Errorf("%s: %w", a.T("the message can't be put into the outbox"), err), "")
	}
	r, err = store.Enqueue(ctx, m)
	return m, r, err
}

func letterOf(s *sendFlags, j *job) (*submission.Letter, error) {
	if composed, ok := j.content.(*message.Content); ok && j.message != nil {
		return submission.Composed(composed, s.subject)
	}
	return submission.Raw(j.content, j.envelope)
}

// notEnqueued says why a message is not in the outbox, and how many are.
func (a *app) notEnqueued(ctx context.Context, s *sendFlags, store outbox.Store, e *enqueued, all, kept int) error {
	if errors.Is(e.err, outbox.ErrConflict) {
		other := ""
		if page, listErr := store.List(ctx, outbox.Filter{Account: s.id.Name, Key: s.key, Limit: 1}); listErr == nil && len(page.Entries) > 0 {
			other = page.Entries[0].ID.String()
		}
		return fail(exitData, errors.New(a.T("%s %q is that of message %s, which is not the same", a.name("key"), s.key, other)),
			a.T("Nothing was enqueued. What has the key: %s", "yan queue show "+other))
	}
	if errors.Is(e.err, outbox.ErrUncertain) {
		return a.uncertain(s, e, all, kept)
	}
	var failed *failure
	if !errors.As(e.err, &failed) && !errors.As(a.outboxProblem(s.outbox, e.err), &failed) {
		return e.err
	}
	text := a.T("the message is neither sent nor in the outbox")
	if all > 1 {
		text = a.T("%s is neither sent nor in the outbox; %d of %d messages are", a.jobName(e.job), kept, all)
	}
	return fail(failed.code, sentence.Errorf("%s: %w", text, failed.err), failed.hint)
}

// uncertain: nobody knows whether the message is in the outbox.
func (a *app) uncertain(s *sendFlags, e *enqueued, all, kept int) error {
	if s.json {
		u := newEnqueued(e.job, e.item, e.receipt, e.item.Expires)
		u.Event = "uncertain"
		a.printJSON(u)
	}
	text := a.T("whether the message is in the outbox is not known")
	if all > 1 {
		text = a.T("whether %s is in the outbox is not known; %d of %d messages are", a.jobName(e.job), kept, all)
	}
	hint := a.T("Look for its Message-ID before you send it again: %s. With --key a repeated command adds nothing twice.", "yan queue list --all --json")
	if s.key != "" {
		hint = a.T("Run the same command again: with the same --key nothing is added twice.")
	}
	return fail(exitUnknown, sentence.Errorf("%s: %w", text, e.err), hint)
}

// tellEnqueued says what is in the outbox now.
func (a *app) tellEnqueued(s *sendFlags, e enqueued, several bool) {
	j, item, receipt := e.job, e.item, e.receipt
	expires := item.Expires
	if expires.IsZero() {
		expires = later(a.Now(), item.NotBefore).Add(outbox.Lifetime)
	}
	switch {
	case s.json:
		a.printJSON(newEnqueued(j, item, receipt, expires))
		return
	case s.quiet:
		return
	}
	name := ""
	if several {
		name = a.jobName(j) + "  "
	}
	to := oneLineOf(j.envelope.To()[0].String())
	if n := j.envelope.Len(); n > 1 {
		to += " +" + strconv.Itoa(n-1)
	}
	if receipt.Duplicate {
		a.outf("%s %s%s\n", a.paint(a.StdoutWidth, yellow, "–"), name, a.T("%s: message %d is the same and has this key already; nothing was added", to, receipt.ID))
		return
	}
	line := a.T("%s: in the outbox as message %d", to, receipt.ID)
	if item.NotBefore.After(a.Now()) {
		line += " · " + a.T("to be sent %s (%s)", a.moment(item.NotBefore), a.away(item.NotBefore))
	}
	a.outf("%s %s%s\n", a.paint(a.StdoutWidth, green, "✓"), name, line)
	if !several {
		a.outf("%s\n", a.paint(a.StdoutWidth, dim, "  "+a.T("%s from account %s", size(item.Content.Size()), item.Account)+" · Message-ID: "+item.MessageID+
			" · "+a.T("tried until %s", a.moment(expires))))
	}
}

func later(t, u time.Time) time.Time {
	if u.After(t) {
		return u
	}
	return t
}

func newEnqueued(j *job, item outbox.New, receipt outbox.Receipt, expires time.Time) enqueuedJSON {
	e := enqueuedJSON{Event: "enqueued", ID: int64(receipt.ID), File: j.name, Number: j.number, Account: item.Account, From: j.envelope.From().String(),
		MessageID: item.MessageID, Size: item.Content.Size(), Key: item.Key, NotBefore: optionalTime(item.NotBefore), Expires: expires.UTC(),
		Priority: priorityWord(item.Priority), Tags: item.Tags}
	if receipt.Duplicate {
		e.Event = "duplicate"
	}
	for _, to := range j.envelope.To() {
		e.To = append(e.To, to.String())
	}
	return e
}
