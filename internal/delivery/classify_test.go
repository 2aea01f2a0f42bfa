package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

func testReply(t *testing.T, code int, text string) smtp.Reply {
	t.Helper()
	enhanced, _, _ := smtp.CutEnhancedCode(text)
	return smtp.Reply{Code: code, Enhanced: enhanced, Lines: []string{text}}
}

func TestWhatFollowsFromAnOutcome(t *testing.T) {
	t.Parallel()
	const none = time.Duration(0)
	for _, c := range []struct {
		name     string
		o        smtp.Outcome
		provider string
		state    queue.State
		rests    bool
		least    time.Duration // lower limit of after or rest
	}{
		{"accepted", smtp.Outcome{Status: smtp.Accepted, Stage: smtp.StageBody, Reply: testReply(t, 250, "2.0.0 Ok: queued as 4BCDEF1234")}, "", queue.HandedOver, false, none},
		{"unknown", smtp.Outcome{Status: smtp.Unknown, Stage: smtp.StageBody, Err: errors.New("EOF")}, "", queue.InDoubt, false, none},
		{"no such user", smtp.Outcome{Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: testReply(t, 550, "5.1.1 no such user")}, "", queue.Failed, false, none},
		{"greylisted", smtp.Outcome{Status: smtp.Deferred, Stage: smtp.StageRcpt, Reply: testReply(t, 451, "4.7.1 Greylisting in action, please come back later")}, "", queue.Deferred, false, 50 * time.Second},
		{"421 at MAIL", smtp.Outcome{Status: smtp.Deferred, Stage: smtp.StageMail, Reply: testReply(t, 421, "4.3.2 try again later")}, "", queue.Deferred, true, time.Minute},
		{"Gmail's daily limit", smtp.Outcome{Status: smtp.Refused, Stage: smtp.StageData, Reply: testReply(t, 550, "5.4.5 Daily user sending limit exceeded.")}, "gmail", queue.Deferred, true, time.Hour},
		{"login refused", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageAuth, Reply: testReply(t, 535, "5.7.8 Error: authentication failed")}, "", queue.Queued, true, time.Hour},
		{"server away", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageConnect, Err: errors.New("connection refused")}, "", queue.Queued, true, 50 * time.Second},
		{"nothing but a goodbye", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageQuit, Err: io.EOF}, "", queue.Deferred, false, none},
		{"lost in the message", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageBody, Err: errors.New("connection reset")}, "", queue.Deferred, false, 50 * time.Second},
		{"too large", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: fmt.Errorf("%w: 9 octets", smtpclient.ErrTooLarge)}, "", queue.Failed, false, none},
		{"no SMTPUTF8", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: smtpclient.ErrNeedsSMTPUTF8}, "", queue.Failed, false, none},
		{"stopped", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: errStopped}, "", queue.Queued, false, none},
		{"cancelled", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageConnect, Err: context.Canceled}, "", queue.Queued, false, none},
		{"taken back while on the wire", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageBody, Err: fmt.Errorf("%w: %w", smtpclient.ErrContent, errTaken)}, "", queue.Queued, false, none},
		{"not marked", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageBody, Err: fmt.Errorf("%w: %w", smtpclient.ErrContent, fmt.Errorf("%w: disk", errMark))}, "", queue.Queued, false, none},
		{"body missing", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: fmt.Errorf("%w: %w", errBody, queue.ErrNoBody)}, "", queue.Held, false, none},
		{"server wants a pause", smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageMail, Err: transport.ErrPaused}, "", queue.Queued, true, time.Minute},
	} {
		v := classifyOutcome(c.o, c.provider, 0, 0)
		if v.state != c.state || (v.rest > 0) != c.rests {
			t.Errorf("%s: %s, the account rests %v; want %s, %v", c.name, v.state, v.rest, c.state, c.rests)
		}
		if max(v.after, v.rest) < c.least {
			t.Errorf("%s: not before %v and %v; want %v at least", c.name, v.after, v.rest, c.least)
		}
	}
}

// For every known reply: only an accepted message is handed over, only a missing reply is in
// doubt, and only a refused recipient fails.
func TestEveryKnownReplyIsJudged(t *testing.T) {
	t.Parallel()
	judged := map[queue.State]int{}
	for _, row := range replytable.Load().Rows {
		for _, stage := range row.At {
			for _, code := range row.Codes {
				if code < 400 {
					continue
				}
				text := "x"
				if len(row.Texts) > 0 {
					text = row.Texts[0]
				}
				status := smtp.StatusOf(smtp.Reply{Code: code})
				if stage.BeforeMail() {
					status = smtp.NotTried
				}
				provider := ""
				if len(row.Providers) > 0 {
					provider = row.Providers[0]
				}
				o := smtp.Outcome{Status: status, Stage: stage, Reply: testReply(t, code, text)}
				v := classifyOutcome(o, provider, 0, 0)
				judged[v.state]++
				switch {
				case v.state == queue.HandedOver, v.state == queue.InDoubt:
					t.Errorf("%s: %d at %s is %s", row.ID, code, stage, v.state)
				case v.state == queue.Failed && status != smtp.Refused:
					t.Errorf("%s: %d at %s is %s for a recipient that is %s", row.ID, code, stage, v.state, status)
				case v.rest > 0 && v.suspects == stage.BeforeMail():
					t.Errorf("%s: %d at %s: the account rests at once: %v", row.ID, code, stage, !v.suspects)
				case v.suspects && v.state != queue.Deferred:
					t.Errorf("%s: %d at %s is %s: it is no try of this message", row.ID, code, stage, v.state)
				case v.state == queue.Queued && v.rest == 0:
					t.Errorf("%s: %d at %s is tried again at once", row.ID, code, stage)
				case v.state == queue.Deferred && v.after < 50*time.Second:
					t.Errorf("%s: %d at %s is tried again in %v", row.ID, code, stage, v.after)
				}
			}
		}
	}
	if judged[queue.Failed] < 50 || judged[queue.Deferred] < 20 || judged[queue.Queued] < 50 {
		t.Errorf("the rows of diagnosis gave %v: too few to say anything", judged)
	}
	t.Log(judged)
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for before, want := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour} {
		if got := retryPause(before); got < want*9/10 || got > want*11/10 {
			t.Errorf("after %d attempts: %v, want about %v", before+1, got, want)
		}
	}
}

func TestOneCopyInTheSentFolderSpeaksForOneTransaction(t *testing.T) {
	t.Parallel()
	entry := func(states ...queue.State) queue.Entry {
		e := queue.Entry{MessageID: "<1@x>", Total: len(states)}
		for i, s := range states {
			e.Recipients = append(e.Recipients, queue.Recipient{N: i, State: s, Attempts: 1})
		}
		return e
	}
	before := entry(queue.InDoubt, queue.Cancelled)
	before.Recipients[1].Doubted = true
	for _, c := range []struct {
		name string
		e    queue.Entry
		want bool
	}{
		{"one", entry(queue.InDoubt), true},
		{"two, perhaps not together", entry(queue.InDoubt, queue.InDoubt), false},
		{"the other was refused", entry(queue.InDoubt, queue.Failed), true},
		{"the other was handed over, perhaps before", entry(queue.HandedOver, queue.InDoubt), false},
		{"the other is on its way", entry(queue.InDoubt, queue.Sending), false},
		{"the other was in doubt before", before, false},
		{"nobody in doubt", entry(queue.Queued), false},
	} {
		if got := copyProves(c.e); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
