package transport

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// ErrPaused is the error of a message that was not tried because the server requested a pause
// longer than Options.Patience. The outcome contains the reply that requested it.
var ErrPaused = errors.New("the server asked for a pause")

const (
	// firstPause and longPause limit the pause after a complaint without a given time; it doubles
	// each time.
	firstPause = time.Second
	longPause  = time.Minute
	// maxPause is the maximum pause that a server or a diagnosis may cause: after an hour one
	// message checks whether it still applies.
	maxPause = time.Hour
	// raiseEvery is the quiet time after which one more connection is allowed.
	raiseEvery = time.Minute
	// recovery is the quiet time in which the rate grows from zero to the rate before the first
	// complaint.
	recovery = time.Minute
	// leastRate is the minimum rate after halving, in messages per second.
	leastRate = 0.2
)

// pace is the rate and number of connections that the server allows. It begins with the
// provider's known limits. A complaint halves it and causes a pause; without complaints it grows
// again by small steps (additive increase, multiplicative decrease, as in TCP).
type pace struct {
	patience time.Duration
	max      int         // connections, the upper limit
	strict   atomic.Bool // a wait is possible

	mu    sync.Mutex
	facts []bucket // of the provider
	// epoch is the number of complaints so far. A message sent before a complaint can't be its
	// cause: a window of messages complains once.
	epoch int
	// until is the end of a pause and asked its cause; backoff is the last pause of our own
	// choice.
	until   time.Time
	asked   smtp.Error
	backoff time.Duration
	slowed  atomic.Bool // backoff is not 0
	// rate is the allowed messages per second at the time rated; 0 means no limit. usual is the
	// rate before the first complaint.
	rate, usual float64
	rated       time.Time
	own         bucket // enforces the rate
	// count is the number of messages admitted since second; before is that of the previous
	// second.
	second        time.Time
	count, before int
	allowed       int // connections
	lowered       time.Time
}

// newPace returns a pace from the facts about a provider, with at most n connections.
func newPace(facts provider.Limits, n int, patience time.Duration) *pace {
	if known := reliableLimit(facts.Connections); known > 0 {
		n = min(n, known)
	}
	p := &pace{patience: patience, max: n, allowed: n}
	for _, fact := range []struct {
		provider.Limit
		per time.Duration
	}{{facts.PerSecond, time.Second}, {facts.PerMinute, time.Minute}} {
		if n := reliableLimit(fact.Limit); n > 0 {
			p.facts = append(p.facts, bucket{interval: fact.per / time.Duration(n), burst: n, recipients: fact.Unit == "recipients"})
		}
	}
	p.strict.Store(len(p.facts) > 0)
	return p
}

// bucket lets a burst pass at once, and then one per interval (the generic cell rate algorithm).
type bucket struct {
	interval   time.Duration
	burst      int
	recipients bool      // counts recipients, not messages
	due        time.Time // the time at which all passed ones would have passed at an even rate
}

// waitAt returns how long the next one must wait.
func (b *bucket) waitAt(now time.Time) time.Duration {
	if !b.due.After(now) {
		return 0
	}
	return b.due.Sub(now) - time.Duration(b.burst-1)*b.interval
}

func (b *bucket) takeToken(now time.Time, recipients int) {
	n := 1
	if b.recipients {
		n = recipients
	}
	if b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(time.Duration(n) * b.interval)
}

// readyIn returns how long the next message must wait; 0 or less means not at all. The error is an
// *[smtp.Error] with ErrPaused.
func (p *pace) readyIn() (time.Duration, error) {
	if !p.strict.Load() {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waitTime(time.Now())
}

// admitMessage is readyIn, and counts the message if it need not wait. The caller passes epoch to
// slowDown or noteAccepted, depending on the result.
func (p *pace) admitMessage(recipients int) (wait time.Duration, epoch int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.strict.Load() {
		if wait, err = p.waitTime(now); wait > 0 || err != nil {
			return wait, 0, err
		}
	}
	for i := range p.facts {
		p.facts[i].takeToken(now, recipients)
	}
	if p.rate > 0 {
		p.own.takeToken(now, recipients)
	}
	if passed := now.Sub(p.second); passed >= time.Second {
		p.before, p.count, p.second = p.count, 0, now
		if passed >= 2*time.Second {
			p.before = 0
		}
	}
	p.count++
	return 0, p.epoch, nil
}

func (p *pace) waitTime(now time.Time) (time.Duration, error) {
	wait := p.until.Sub(now)
	if wait > p.patience {
		stage := p.asked.Stage
		switch stage {
		case smtp.StageRcpt, smtp.StageData, smtp.StageBody:
			stage = smtp.StageMail // a stage that this message has not passed
		}
		return wait, &smtp.Error{Stage: stage, Reply: p.asked.Reply,
			Err: fmt.Errorf("%w, until %s", ErrPaused, p.until.Format(time.DateTime))}
	}
	for i := range p.facts {
		wait = max(wait, p.facts[i].waitAt(now))
	}
	if p.rate > 0 {
		wait = max(wait, p.rateWait(now))
	}
	return wait, nil
}

// rateWait returns the wait for the lowered rate, which has grown since it was set and ends when
// it reaches the usual one.
func (p *pace) rateWait(now time.Time) time.Duration {
	rate := p.grownRate(now)
	if rate >= p.usual {
		p.rate = 0
		return 0
	}
	p.own.interval, p.own.burst = time.Duration(float64(time.Second)/rate), 1
	return p.own.waitAt(now)
}

// grownRate returns the current rate.
func (p *pace) grownRate(now time.Time) float64 {
	quiet := max(0, now.Sub(p.rated))
	return p.rate + p.usual*float64(quiet)/float64(recovery)
}

// currentEpoch returns the current epoch.
func (p *pace) currentEpoch() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epoch
}

// connectionBound returns how many connections may be open now.
func (p *pace) connectionBound() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.allowed < p.max {
		steps := int(max(0, time.Since(p.lowered)) / raiseEvery)
		p.allowed = min(p.max, p.allowed+steps)
		p.lowered = p.lowered.Add(time.Duration(steps) * raiseEvery)
	}
	return p.allowed
}

// tooManyConnections handles a refusal of a connection for their number while others work: those stay, and a
// new one is not tried during the requested time.
func (p *pace) tooManyConnections(retry diagnosis.Retry, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch == p.epoch {
		p.epoch++
		p.lowerConnections(time.Now().Add(min(retry.After, maxPause)))
	}
}

// lowerConnections halves the connections; they grow again from a time on.
func (p *pace) lowerConnections(from time.Time) {
	p.allowed, p.lowered = max(1, p.allowed/2), from
}

// slowDown handles a complaint about messages of an epoch: a pause as requested, or of our own
// choice, and then half the rate over half the connections.
func (p *pace) slowDown(said smtp.Error, retry diagnosis.Retry, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.epoch {
		return
	}
	p.epoch++
	now := time.Now()
	p.lowerConnections(now)
	p.slowed.Store(true)
	p.strict.Store(true)
	p.backoff = min(max(firstPause, 2*p.backoff), longPause)
	pause := p.backoff
	if retry.Kind == diagnosis.RetryDelay {
		pause = min(retry.After, maxPause)
	}
	p.until, p.asked = now.Add(pause), said
	if p.rate == 0 {
		p.usual = float64(max(p.count, p.before, 1))
		p.rate = p.usual
	} else {
		p.rate = min(p.usual, p.grownRate(now))
	}
	// During the pause no message passes: growth begins after it.
	p.rate, p.rated = max(p.rate/2, leastRate), p.until
}

// noteAccepted records that a message of an epoch was accepted.
func (p *pace) noteAccepted(epoch int) {
	if !p.slowed.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch == p.epoch {
		p.backoff = 0
		p.slowed.Store(false)
	}
}
