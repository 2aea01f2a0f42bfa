package sendcmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/smtp"
)

// tally counts the messages of a run by what became of them.
type tally struct {
	messages int
	// before were sent to all in an earlier run, as the log says.
	sent, before, partial, refused, deferred, unknown, notTried int
	// unknownTo and refusedTo count recipients of whom the log says so, and who
	// were sent nothing now.
	unknownTo, refusedTo int
	// missing counts the messages of which the next run will send something.
	missing int
}

func (t *tally) count(j *job, r yan.Result) {
	t.messages++
	missing := false
	for i, o := range r.Recipients {
		again := j.isLogged(i)
		switch {
		case o.Status == smtp.Unknown && again:
			t.unknownTo++
		case o.Status == smtp.Refused && again:
			t.refusedTo++
		}
		missing = missing || o.Status == smtp.Deferred || o.Status == smtp.NotTried
	}
	if missing {
		t.missing++
	}
	o, failed := r.Decisive()
	switch {
	case !failed && len(j.pending()) == 0:
		t.before++
	case !failed:
		t.sent++
	case o.Status == smtp.Unknown:
		t.unknown++
	case r.Count(smtp.Accepted) > 0:
		t.partial++
	case o.Status == smtp.Refused:
		t.refused++
	case o.Status == smtp.Deferred:
		t.deferred++
	default:
		t.notTried++
	}
}

// conclude sums a run of several messages up, and says how to go on.
func (r *delivery) conclude(took time.Duration) {
	a, t := r.a, &r.tally
	if len(r.jobs) > 1 && t.messages > 0 {
		switch line := r.summary(took); {
		case r.s.json:
			a.Hint(line)
		case !r.s.quiet:
			a.Outf("%s\n", a.Paint(a.StdoutWidth, console.Bold, line))
		}
	}
	if r.s.json || r.s.quiet {
		return
	}
	if r.outOfStep && !r.s.LockStep {
		a.Errf("%s\n", a.T("This server can't keep up with commands that come together: send to it with --no-pipelining."))
	}
	switch {
	case r.log == nil && t.missing > 0 && len(r.jobs) > 1:
		a.Hint(a.T("With --log FILE the same command, run again, sends what is missing and nothing twice."))
	case r.log == nil:
	case t.missing > 0:
		a.Errf("%s\n", a.T("Run the same command again to send what is missing: %s knows what was sent.", command.Printable(r.s.log)))
	}
	if t.unknownTo > 0 {
		a.Errf("%s\n", a.T("%d unknown to this day: ask the recipients, or send them a second time with --resend unknown.", t.unknownTo))
	}
	if t.refusedTo > 0 {
		a.Errf("%s\n", a.T("%d refused for good before: --resend refused tries them once more.", t.refusedTo))
	}
}

// summary is one line, like "3 messages in 1.2 s (2.5/s): 2 sent, 1 refused".
func (r *delivery) summary(took time.Duration) string {
	a, t := r.a, &r.tally
	var parts []string
	add := func(n int, words string) {
		if n > 0 {
			parts = append(parts, words)
		}
	}
	add(t.sent, a.T("%d sent", t.sent))
	add(t.before, a.T("%d sent before", t.before))
	add(t.partial, a.T("%d sent to some", t.partial))
	add(t.refused, a.T("%d refused", t.refused))
	add(t.deferred, a.T("%d deferred", t.deferred))
	add(t.unknown, a.T("%d unknown", t.unknown))
	add(t.notTried, a.T("%d not tried", t.notTried))
	if r.s != nil {
		add(len(r.s.bad), a.T("%d bad and left out", len(r.s.bad)))
	}
	return a.T("%d messages in %s: %s", t.messages, console.Duration(took)+a.perSecond(t.messages-len(r.settled)-t.notTried, took), strings.Join(parts, a.T(", ")))
}

// perSecond is a rate in brackets; "" where there was no time to measure.
func (a *runner) perSecond(n int, took time.Duration) string {
	if took <= 0 || n <= 0 {
		return ""
	}
	return a.T(" (%s/s)", rate(n, took))
}

// rate is a number per second, of three digits at most.
func rate(n int, took time.Duration) string {
	perSecond := float64(n) / took.Seconds()
	if perSecond < 9.95 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return fmt.Sprintf("%.0f", perSecond)
}
