package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// delivery sends the messages of one command line. The sender takes them from
// transactions, in a goroutine of its own; deliver tells of each as its result
// comes.
type delivery struct {
	loggedIn bool // a login worked, and the outbox was told
	a        *runner
	s        *sendFlags
	client   *yan.Client
	server   transport.Server
	jobs     []*job
	log      *sendlog.Log // nil without --log
	// todo are to be sent, at least to some; settled are not, as the log says.
	todo, settled []*job

	bar   runBar
	tally tally
	worst int
	told  map[string]bool // the advice that was given
	alike alike           // the messages that share the fate of one that was told of
	lost  int             // results in a row that never came to a message
	// outOfStep: the server lost commands that came together.
	outOfStep bool

	next    *accounts.Identity // the account that falls in; nil for none
	changed func(string) bool  // whether a flag was given, and overrules the account
	round   round
	copies  sentCopies
	endedBy smtp.Outcome // what made the run hopeless

	// unreachable: for a message no server could be reached; unreached are to wait in
	// the outbox.
	unreachable bool
	unreached   []*job

	mu     sync.Mutex
	taken  []*job      // by the place at which the sender took them
	failed []failedJob // since they were last asked for
	end    error       // why no further message is taken; nil while they are
	// unnoted were taken, and the log has neither attempt nor outcome.
	unnoted []*job
	// ahead counts the messages that are safe and not begun.
	ahead       int
	notingAhead bool

	noting     sync.Mutex // held while the log is brought to the disk
	noteErr    error      // why that can't be done
	background sync.WaitGroup
}

// failedJob is a message that could not be handed to the sender.
type failedJob struct {
	job *job
	err error
}

// deliver sends what is to be sent; the worst exit status wins.
func (r *delivery) deliver(ctx context.Context) error {
	a := r.a
	if r.s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.s.Timeout, verdict.ErrTimeout{})
		defer cancel()
	}
	r.told = map[string]bool{}
	r.copies = sentCopies{}
	defer r.copies.close()
	r.tellSettled()
	began := a.Now()
	if len(r.todo) > 0 {
		a.Settled = true
		r.bar.begin(a, r.s, r.todo)
		if err := r.send(ctx); err != nil {
			r.closeLog()
			return err
		}
		if err := r.fallBack(ctx); err != nil {
			r.closeLog()
			return err
		}
	}
	r.tellRest(ctx)
	r.tellAlike()
	r.closeLog()
	r.conclude(a.Now().Sub(began))
	r.offerOutbox()
	if err := r.enqueueUnreached(ctx); err != nil {
		return err
	}
	if r.worst == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: r.worst, Err: errors.New("not sent to all"), Told: true}
}

// send hands the messages to the sender and settles each as its result comes.
func (r *delivery) send(ctx context.Context) error {
	defer r.bar.clear()
	sending, done := r.patience(ctx)
	defer done()
	for result, err := range r.results(sending, r.transactions(ctx)) {
		if failed := (*yan.SendError)(nil); err != nil && !errors.As(err, &failed) {
			return command.Internal("sending", err)
		}
		r.tellFailed(sending)
		j := r.takenAt(result.Index)
		if j == nil || len(result.Recipients) != j.now().Len() {
			return command.Internal("sending", fmt.Errorf("a result that belongs to no message: %d", result.Index))
		}
		r.settle(ctx, sending, j, result)
	}
	r.tellFailed(sending)
	return nil
}

// results sends. One message needs no run: Deliver says exactly how far it came.
func (r *delivery) results(ctx context.Context, messages iter.Seq[yan.Transaction]) iter.Seq2[yan.Result, error] {
	if len(r.todo) > 1 {
		return r.client.DeliverAll(ctx, messages)
	}
	return func(yield func(yan.Result, error) bool) {
		for t := range messages {
			if !yield(r.client.Deliver(ctx, t)) {
				return
			}
		}
	}
}

// grace is how long a run of several messages waits, after Ctrl-C, for those
// that are on the wire.
const grace = 10 * time.Second

// patience is the context of what is on the wire. After Ctrl-C a run of several
// messages takes no further one, and those on their way get some time to
// end well: cut off at once, they would be unknown.
func (r *delivery) patience(ctx context.Context) (sending context.Context, done func()) {
	if len(r.todo) == 1 {
		return ctx, func() {}
	}
	sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
			cancel(cause)
			return
		}
		r.bar.around(true, func() {
			r.a.Hint(r.a.T("Interrupted: waiting for the messages that are on their way, %s at most; Ctrl-C again ends at once.", r.a.Roughly(grace)))
		})
		select {
		case <-r.a.After(grace):
			cancel(context.Canceled)
		case <-over:
		}
	})
	return sending, func() {
		stop()
		close(over)
		cancel(context.Canceled)
	}
}

// takenAt is nil for a place at which nothing was taken.
func (r *delivery) takenAt(i int) *job {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 || i >= len(r.taken) {
		return nil
	}
	return r.taken[i]
}

// settle notes and tells what became of a message that was taken. sending is the
// context of what is on the wire, which outlives ctx for a while.
func (r *delivery) settle(ctx, sending context.Context, j *job, result yan.Result) {
	if result.Size == 0 {
		result.Size = j.size
	}
	result.MessageID = j.messageID
	if cameToNothing(j, result) {
		r.judge(result)
		r.noteNothing(result)
		r.noteOutcome(j, j.earlier.result)
		r.tellEarlier(sending, j)
		return
	}
	r.noteOutcome(j, result)
	if neverBegan(result) {
		j.close()
		j.taken = false // tellRest tells of it, and of all like it at once
		return
	}
	r.judge(result)
	if r.queuesUnreached(j, result) || r.fallsBack(ctx, j, result) {
		r.noteLogin(sending, result)
		return
	}
	defer j.close()
	if r.s.transcript && r.tally.messages == len(r.jobs)-1 {
		_ = r.client.Close() // says QUIT, which belongs to the conversation above the results
	}
	r.bar.settle(j)
	all := result
	all.Recipients = j.outcomes(result.Recipients)
	r.tell(j, all)
	r.noteLogin(sending, result)
	r.addDueCopy(j, result)
	r.saveCopies(sending, j)
}

// noteLogin lets the outbox know that the account's login works, once.
func (r *delivery) noteLogin(ctx context.Context, result yan.Result) {
	id := r.s.id
	if id != nil && !r.loggedIn && slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted }) && r.a.IsLocalOutbox(ctx) {
		r.loggedIn = true
		r.a.LoginWorked(ctx, id.Name, r.s.json || r.s.quiet)
	}
}

// patienceWithServer is how many messages in a row may fail before they are
// begun, for a reason that time may heal.
const patienceWithServer = 3

// judge ends a run that leads nowhere: a login that was refused would be
// refused again, until the provider locks the account.
func (r *delivery) judge(result yan.Result) {
	o, failed := result.Decisive()
	r.outOfStep = r.outOfStep || failed && errors.Is(o.Err, smtpclient.ErrOutOfStep)
	if !failed || o.Status == smtp.Unknown || r.s.QuitAfter != "" {
		r.lost = 0
		return
	}
	switch o.Stage {
	case smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello, smtp.StageStartTLS:
		if r.lost++; r.lost >= patienceWithServer {
			r.endedBy = o
			r.endWith(verdict.ErrHopeless)
		}
	case smtp.StageAuth:
		r.endedBy = o
		r.endWith(verdict.ErrHopeless)
	default:
		r.lost = 0
	}
}
