package queuecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// runReporter prints the events of a run in one goroutine, while several deliver.
type runReporter struct {
	a     *queueCommands
	q     *queueFlags
	store outbox.Store
	quiet bool

	mu     sync.Mutex
	wake   *sync.Cond
	events []delivering.WorkerEvent
	closed bool
	ended  sync.WaitGroup

	providers map[string]string // provider IDs by account
	told      map[string]bool   // texts that were printed once
	failed    map[queue.ID][]smtp.Outcome
	served    map[queue.ID]bool
	worst     int
}

func newRunReporter(a *queueCommands, q *queueFlags, store outbox.Store, quiet bool) *runReporter {
	r := &runReporter{a: a, q: q, store: store, quiet: quiet, providers: map[string]string{}, told: map[string]bool{},
		failed: map[queue.ID][]smtp.Outcome{}, served: map[queue.ID]bool{}}
	r.wake = sync.NewCond(&r.mu)
	r.ended.Go(r.printEvents)
	return r
}

// queueEvent queues an event for printing. Deliveries do not wait for the output.
func (r *runReporter) queueEvent(e delivering.WorkerEvent) {
	switch e.Kind {
	case delivering.Settled, delivering.Reconciled, delivering.Paused, delivering.NoRoute, delivering.Reported:
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	r.wake.Signal()
}

// close waits until all events are printed.
func (r *runReporter) close() {
	r.mu.Lock()
	r.closed = true
	r.wake.Signal()
	r.mu.Unlock()
	r.ended.Wait()
}

// maxBatch is how many messages are looked up together.
const maxBatch = 100

func (r *runReporter) printEvents() {
	for {
		r.mu.Lock()
		for len(r.events) == 0 && !r.closed {
			r.wake.Wait()
		}
		n := min(len(r.events), maxBatch)
		batch := r.events[:n:n]
		r.events = r.events[n:]
		r.mu.Unlock()
		if n == 0 {
			return
		}
		r.printBatch(batch)
	}
}

func (r *runReporter) printBatch(batch []delivering.WorkerEvent) {
	var ids []queue.ID
	for _, e := range batch {
		if e.ID != 0 {
			ids = append(ids, e.ID)
		}
	}
	entries := r.lookUpEntries(ids)
	for _, e := range batch {
		switch e.Kind {
		case delivering.Paused:
			line := r.a.pauseLine(e.Account, e.For, e.Answer)
			if e.Here {
				line = r.a.localPauseLine(e.Account, e.Answer)
			}
			r.printAccount(e.Account, e.Answer, line, r.recipientExit(e.Account, queue.Queued, e.Answer))
		case delivering.NoRoute:
			r.printRoute(e)
		case delivering.Reported:
			if !r.quiet && !r.q.json {
				r.a.Outf("%s\n", r.a.T("Message %d: a bounce was sent to the sender.", e.ID))
			}
		default:
			r.printRecipient(e, entries[e.ID])
		}
	}
}

// lookUpEntries looks up messages and their recipients.
func (r *runReporter) lookUpEntries(ids []queue.ID) map[queue.ID]queue.Entry {
	found := map[queue.ID]queue.Entry{}
	page, err := r.store.List(context.Background(), queue.Filter{IDs: ids, Limit: len(ids)})
	if err != nil || len(ids) == 0 {
		return found // then the lines have numbers and no addresses
	}
	for _, e := range page.Entries {
		if e.Total > len(e.Recipients) {
			if whole, err := r.store.Show(context.Background(), e.ID); err == nil {
				e = whole
			}
		}
		found[e.ID] = e
	}
	return found
}

func (r *runReporter) printRecipient(e delivering.WorkerEvent, entry queue.Entry) {
	if e.State == queue.Queued { // not counted as an attempt; the event of the account has the reason
		return
	}
	var status queue.Recipient
	for _, s := range entry.Recipients {
		if s.N == e.N {
			status = s
		}
	}
	if e.State == queue.HandedOver {
		r.served[e.ID] = true
	} else {
		o := outcomeOf(status.Address, e.State, e.Answer)
		r.failed[e.ID] = append(r.failed[e.ID], o)
		r.worst = command.WorseStatus(r.worst, r.recipientExit(e.Account, e.State, e.Answer))
	}
	r.printLine(queue.Event{ID: e.ID, N: e.N, Address: status.Address, Account: e.Account, Kind: queue.EventKind(e.State), State: e.State,
		At: r.a.Now(), Attempt: e.Attempt, Due: dueOf(status, e.State), Answer: e.Answer})
}

func dueOf(s queue.Recipient, state queue.State) (due time.Time) {
	if state == queue.Deferred && s.State == state {
		return s.Due
	}
	return due
}

// printLine prints the event of a recipient. With --quiet it skips accepted and deferred recipients.
func (r *runReporter) printLine(e queue.Event) {
	a := r.a
	provider := r.cachedProvider(e.Account)
	switch {
	case r.q.json:
		a.PrintJSON(newQueueEvent(e, provider, true))
		return
	case r.quiet && (e.State == queue.HandedOver || e.State == queue.Deferred):
		return
	}
	w, width := a.resultStream(r.quiet)
	_, _ = fmt.Fprintf(w, "%s\n", a.eventLine(e, width))
	if f, ok := explainedFinding(e.State, e.Answer, provider); ok {
		r.printAdvice(withoutOwnAdvice(f, e.State))
	}
	if e.State == queue.Held && isLost(e.Answer) {
		a.Errf("%s\n", a.lostText(e.ID))
	}
	if e.State == queue.InDoubt && !r.told["doubt"] {
		r.told["doubt"] = true
		a.Errf("%s\n", a.T("It is not resent automatically: 'yan queue show %d' shows details; decide with 'yan queue resolve %d'.", e.ID, e.ID))
	}
}

// resultStream returns the output for events, and its width: standard error with --quiet.
func (a *queueCommands) resultStream(quiet bool) (w io.Writer, width int) {
	if quiet {
		return a.Stderr, a.StderrWidth
	}
	return a.Stdout, a.StdoutWidth
}

// printAdvice explains a finding, the same one only once.
func (r *runReporter) printAdvice(f diagnosis.Finding) {
	key := f.Cause.EN + f.Hint.EN + f.Advice.EN
	if r.told[key] {
		return
	}
	r.told[key] = true
	r.a.PrintFinding(r.a.Stderr, r.a.StderrWidth, f)
}

// printAccount prints once why an account can't send.
func (r *runReporter) printAccount(account string, ans queue.Answer, line string, exit int) {
	r.worst = command.WorseStatus(r.worst, exit)
	if r.told[account] {
		return
	}
	r.told[account] = true
	f, ok := explainedFinding(queue.Deferred, ans, r.cachedProvider(account))
	if r.quiet && ok && passesWithTime(f) {
		return
	}
	r.a.Errf("%s\n", console.VisibleLines(line))
	if ok {
		r.printAdvice(f)
	}
}

// passesWithTime reports whether a fault may pass with time, for example a laptop that is offline:
// cron must not write a mail about it every five minutes. If it lasts, the messages expire, which
// is reported.
func passesWithTime(f diagnosis.Finding) bool {
	return f.Permanence == diagnosis.Temporary || f.Class == diagnosis.ClassHostNotFound
}

// printRoute prints once why an account can't be used.
func (r *runReporter) printRoute(e delivering.WorkerEvent) {
	problem := r.a.routeProblem(e.Account, e.Err)
	r.worst = command.WorseStatus(r.worst, problem.Code)
	if r.told[e.Account] {
		return
	}
	r.told[e.Account] = true
	r.a.Explain(problem)
	if e.Account != "" && r.a.accountRemoved(e.Account) {
		r.a.Errf("     %s\n", r.a.T("Set the account up again with this name, or cancel its messages: %s", "yan queue cancel --account "+console.Visible(e.Account)))
	}
}

func (r *runReporter) cachedProvider(account string) string {
	if id, ok := r.providers[account]; ok {
		return id
	}
	id := r.a.providerOf(account)
	r.providers[account] = id
	return id
}

// recipientExit returns the exit status of one recipient.
func (r *runReporter) recipientExit(account string, s queue.State, ans queue.Answer) int {
	return answerExit(s, ans, r.cachedProvider(account))
}

// answerExit returns the exit status for the state of a recipient.
func answerExit(s queue.State, ans queue.Answer, provider string) int {
	switch s {
	case queue.HandedOver:
		return command.ExitOK
	case queue.InDoubt, queue.Sending:
		return command.ExitUnknown
	case queue.Held, queue.Cancelled:
		return command.ExitUnavailable
	case queue.Deferred, queue.Leased:
		return command.ExitTemporary
	}
	f, ok := explainedFinding(s, ans, provider)
	o := outcomeOf(smtp.Address{}, s, ans)
	switch {
	case s == queue.Queued && !ok && ans.Err != "":
		return command.ExitConfig // the account can't be used
	case s == queue.Expired || !ok:
		return command.ExitUnavailable
	case ans.Reply.IsZero() && slices.Contains([]diagnosis.Class{diagnosis.ClassTooLarge, diagnosis.ClassFeatureMissing, diagnosis.ClassSMTPUTF8Missing,
		diagnosis.ClassTooManyRecipients}, f.Class):
		return command.ExitData // the server announced this limit before
	case s == queue.Queued && ans.Stage == smtp.StageAuth && f.Permanence != diagnosis.Temporary:
		return command.ExitAuth
	}
	return verdict.ExitForOutcome(o, f)
}

// printExpired prints the recipients that expired during the run, without another attempt.
func (r *runReporter) printExpired(ctx context.Context, since queue.Cursor) {
	for {
		events, next, err := r.store.Events(ctx, since, 500)
		if err != nil || len(events) == 0 {
			return
		}
		for _, e := range events {
			if e.Kind == queue.EventKind(queue.Expired) {
				r.failed[e.ID] = append(r.failed[e.ID], outcomeOf(e.Address, e.State, e.Answer))
				r.worst = command.WorseStatus(r.worst, command.ExitUnavailable)
				r.printLine(e)
			}
		}
		since = next
	}
}

// printConclusion prints the summary and returns the exit status. interrupted is why the run ended early,
// or nil.
func (r *runReporter) printConclusion(ctx context.Context, interrupted error, drained queue.Drained) error {
	a := r.a
	for id, failed := range r.failed {
		if r.served[id] {
			outcomes := append([]smtp.Outcome{{Status: smtp.Accepted}}, failed...)
			r.worst = command.WorseStatus(r.worst, verdict.ExitStatus(yan.Result{Recipients: outcomes}, ""))
		}
	}
	stats, err := r.store.Stats(ctx)
	if err != nil {
		return a.OutboxProblem(r.q.outbox, err)
	}
	for _, acc := range stats.Accounts {
		if acc.PausedFor > 0 && acc.Count[queue.Queued]+acc.Count[queue.Deferred] > 0 && !r.told[acc.Account] {
			r.printAccount(acc.Account, acc.PauseAnswer, a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer), r.recipientExit(acc.Account, queue.Queued, acc.PauseAnswer))
		}
	}
	if interrupted != nil {
		r.worst = command.WorseStatus(r.worst, command.ExitTemporary)
	}
	switch {
	case r.q.json:
		a.PrintJSON(jsonout.QueueDrained{Event: "drained", Count: countJSON(drained.Count), Left: drained.Left, Exit: r.worst})
	case !r.quiet:
		a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Bold, r.summaryLine(ctx, drained)))
		switch {
		case errors.Is(interrupted, verdict.ErrTimeout{}):
			a.Errf("%s\n", a.T("The --timeout has expired: the remaining messages stay in the outbox for the next run."))
		case interrupted != nil:
			a.Errf("%s\n", a.T("Interrupted: the remaining messages stay in the outbox for the next run."))
		}
	}
	if r.worst == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: r.worst, Err: errors.New("not handed over to all"), Told: true}
}

// summaryLine returns a line like "3 handed over, 1 deferred; 2 are left, the next is due in 5
// minutes".
func (r *runReporter) summaryLine(ctx context.Context, drained queue.Drained) string {
	a := r.a
	var parts []string
	for _, s := range []queue.State{queue.HandedOver, queue.Deferred, queue.InDoubt, queue.Held, queue.Failed} {
		if n := drained.Count[s]; n > 0 {
			parts = append(parts, a.T("%d %s", n, a.stateWord(s)))
		}
	}
	text := a.T("Nothing was due")
	switch {
	case len(parts) > 0:
		text = strings.Join(parts, a.T(", "))
	case r.worst != command.ExitOK:
		text = a.T("Nothing was delivered")
	}
	if drained.Left == 0 {
		return text + a.T("; the outbox has no more work")
	}
	text += a.T("; recipients left in the outbox: %d", drained.Left)
	if due, err := r.store.Due(ctx); err == nil && len(due) > 0 {
		soonest := due[0].In
		for _, d := range due {
			soonest = min(soonest, d.In)
		}
		if soonest > 0 {
			text += a.T(", the next is due in %s", a.Roughly(soonest))
		}
	}
	return text
}
