package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// tellFailed tells of the messages that could not be handed over.
func (r *delivery) tellFailed(ctx context.Context) {
	r.mu.Lock()
	failed := r.failed
	r.failed = nil
	r.mu.Unlock()
	for _, f := range failed {
		err := fmt.Errorf("%w: %w", smtpclient.ErrContent, f.err)
		if f.job.earlier != nil {
			r.tellEarlier(ctx, f.job)
			continue
		}
		r.bar.settle(f.job)
		r.tell(f.job, r.notTried(f.job, smtp.StageMail, err))
	}
}

// notTried is the result of a message that was never handed over.
func (r *delivery) notTried(j *job, stage smtp.Stage, err error) yan.Result {
	var now []smtp.Outcome
	for _, to := range j.now().To() {
		now = append(now, smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: stage, Err: err})
	}
	return yan.Result{MessageID: j.messageID, Size: j.size, Recipients: j.outcomes(now)}
}

// tellRest tells of the messages that were not taken, all in one line for
// people: there may be thousands. Those for whom another account was to take over
// have a last word of their own.
func (r *delivery) tellRest(ctx context.Context) {
	reason := r.stopped(ctx)
	var rest []*job
	for _, j := range r.todo {
		switch {
		case j.taken || j.failed || j.waits || j.told:
		case j.earlier != nil:
			r.tellEarlier(ctx, j)
		case len(r.unreached) > 0 && errors.Is(reason, verdict.ErrHopeless):
			r.keepForOutbox(j, r.endedBy)
		default:
			rest = append(rest, j)
		}
	}
	if len(rest) == 0 {
		return
	}
	why := r.a.LocalError(reason)
	for _, j := range rest {
		result := r.notTried(j, smtp.StageConnect, reason)
		if r.s.json || len(r.jobs) == 1 {
			r.tell(j, result)
			continue
		}
		j.told = true
		r.tally.count(j, result)
		r.alike.add(why)
	}
	if errors.Is(reason, verdict.ErrHopeless) && r.alike.total() > 0 { // and so are those that were counted for what the first said
		r.alike = alike{reasons: []string{why}, counts: map[string]int{why: r.alike.total()}}
	}
	r.worst = command.Worse(r.worst, command.ExitTemporary)
}

// tellEarlier tells what became of a message before another account was to take
// over, because that came to nothing.
func (r *delivery) tellEarlier(ctx context.Context, j *job) {
	defer j.close()
	result := j.earlier.result
	result.Recipients = j.outcomes(result.Recipients)
	r.bar.settle(j)
	r.tellAs(j, result, j.earlier.as)
	r.saveCopies(ctx, j)
}

// noteNothing tells once why the account that took over came to nothing.
func (r *delivery) noteNothing(result yan.Result) {
	if o := result.Recipients[0]; !errors.As(o.Err, new(notBegun)) {
		r.noteOnce(r.a.T("Account %s does not take over: %v.", r.s.id.Name, r.a.Why(o)))
	}
}

// alike counts messages that were not tried, by the reason, in the order of
// the reasons.
type alike struct {
	reasons []string
	counts  map[string]int
}

func (l *alike) add(reason string) {
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	if l.counts[reason] == 0 {
		l.reasons = append(l.reasons, reason)
	}
	l.counts[reason]++
}

func (l *alike) total() (n int) {
	for _, count := range l.counts {
		n += count
	}
	return n
}

// fold counts a message that never came to its transaction, where one before it
// was told of with the same reason: a server that can't be reached takes no line
// for each of thousands.
func (r *delivery) fold(j *job, result yan.Result) bool {
	if r.s.json || len(r.jobs) == 1 || r.s.QuitAfter != "" || len(result.Recipients) == 0 || j.logged != nil {
		return false
	}
	first := result.Recipients[0]
	for _, o := range result.Recipients {
		if o.Status != smtp.NotTried || !o.Stage.BeforeMail() || o.Reply.String() != first.Reply.String() {
			return false
		}
	}
	reason := strings.TrimSpace(r.a.Why(first))
	if !r.told[reason] {
		r.told[reason] = true
		return false
	}
	r.tally.count(j, result)
	r.alike.add(reason)
	return true
}

// tellAlike tells of those that were counted.
func (r *delivery) tellAlike() {
	w, width := r.a.Results(r.s.quiet)
	for _, reason := range r.alike.reasons {
		_, _ = fmt.Fprintf(w, "%s %s\n", r.a.Paint(width, console.Yellow, "–"),
			r.a.T("%d of %d messages not tried: %s", r.alike.counts[reason], len(r.jobs), reason))
	}
}

// tell prints what became of a message.
func (r *delivery) tell(j *job, result yan.Result) { r.tellAs(j, result, r.as(j, result)) }

// tellAs is tell of a message that may have gone in another name than that of
// this round.
func (r *delivery) tellAs(j *job, result yan.Result, as verdict.SentAs) {
	j.told = true
	code := verdict.ExitStatus(result, as.Server.Provider.ID)
	stopped := ""
	if verdict.ReachedStop(r.s.QuitAfter, result) {
		code, stopped = command.ExitOK, r.s.QuitAfter
	}
	r.worst = command.Worse(r.worst, code)
	if r.fold(j, result) {
		return
	}
	r.tally.count(j, result)
	r.bar.around(r.a.StdoutWidth > 0 || code != command.ExitOK, func() {
		r.a.Report(verdict.Form{Quiet: r.s.quiet, Json: r.s.json}, verdict.Report{Name: j.name, Number: j.number, As: as, Result: result, Exit: code, Logged: j.isLogged,
			Via: j.via, InsteadOf: j.insteadOf, StoppedAfter: stopped, Several: len(r.jobs) > 1, Told: r.told})
	})
}
