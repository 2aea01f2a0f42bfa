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

// ErrPaused is why a message was not tried while the server wants no more: it
// asked for a pause that is longer than Options.Patience. The outcome holds the
// reply in which it did.
var ErrPaused = errors.New("the server asked for a pause")

const (
	// firstPause and longPause bound the pause after a server that wants less and
	// does not say for how long; it doubles each time.
	firstPause = time.Second
	longPause  = time.Minute
	// maxPause bounds what a server may ask for, or a diagnosis advise: after an
	// hour one message may ask whether it still holds.
	maxPause = time.Hour
	// raiseEvery is the quiet time after which another connection is allowed
	// again.
	raiseEvery = time.Minute
	// recovery is the quiet time in which the rate grows from nothing to what was
	// usual before the first complaint.
	recovery = time.Minute
	// leastRate is where halving ends, in messages per second.
	leastRate = 0.2
)

// pace is how fast and over how many connections the server lets us send.
// It begins at what the provider is known to allow. A complaint halves it
// and brings a pause; as long as none comes it grows again by small steps
// (additive increase, multiplicative decrease, as TCP does).
type pace struct {
	patience time.Duration
	max      int         // connections, whatever the server lets
	strict   atomic.Bool // there may be something to wait for

	mu    sync.Mutex
	facts []bucket // of the provider
	// epoch counts the complaints that were heeded. A message that left before
	// one can't be meant by it: a window of messages complains once.
	epoch int
	// until is the end of a pause and asked what asked for it; backoff is the
	// last pause that was our own choice.
	until   time.Time
	asked   smtp.Error
	backoff time.Duration
	slowed  atomic.Bool // backoff is not 0
	// rate is how many messages per second were right at rated; 0 means no bound.
	// usual is what was sent before the first complaint.
	rate, usual float64
	rated       time.Time
	own         bucket // holds to the rate
	// count messages were admitted since second; before is the count of the
	// second before that.
	second        time.Time
	count, before int
	allowed       int // connections
	lowered       time.Time
}

// newPace takes the facts about a provider. Connections are at most n.
func newPace(facts provider.Limits, n int, patience time.Duration) *pace {
	if known := firm(facts.Connections); known > 0 {
		n = min(n, known)
	}
	p := &pace{patience: patience, max: n, allowed: n}
	for _, fact := range []struct {
		provider.Limit
		per time.Duration
	}{{facts.PerSecond, time.Second}, {facts.PerMinute, time.Minute}} {
		if n := firm(fact.Limit); n > 0 {
			p.facts = append(p.facts, bucket{interval: fact.per / time.Duration(n), burst: n, recipients: fact.Unit == "recipients"})
		}
	}
	p.strict.Store(len(p.facts) > 0)
	return p
}

// bucket lets a burst pass at once, and then one in each interval (the generic
// cell rate algorithm).
type bucket struct {
	interval   time.Duration
	burst      int
	recipients bool      // counts recipients, not messages
	due        time.Time // when all that passed would have passed evenly
}

// wait is how long the next one has to.
func (b *bucket) wait(now time.Time) time.Duration {
	if !b.due.After(now) {
		return 0
	}
	return b.due.Sub(now) - time.Duration(b.burst-1)*b.interval
}

func (b *bucket) take(now time.Time, recipients int) {
	n := 1
	if b.recipients {
		n = recipients
	}
	if b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(time.Duration(n) * b.interval)
}

// ready says how long the next message has to wait; 0 or less means not at
// all. The error is an *[smtp.Error] with ErrPaused.
func (p *pace) ready() (time.Duration, error) {
	if !p.strict.Load() {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wait(time.Now())
}

// admit is ready, and counts the message if it need not wait. epoch goes back
// into slow or fine with what became of it.
func (p *pace) admit(recipients int) (wait time.Duration, epoch int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.strict.Load() {
		if wait, err = p.wait(now); wait > 0 || err != nil {
			return wait, 0, err
		}
	}
	for i := range p.facts {
		p.facts[i].take(now, recipients)
	}
	if p.rate > 0 {
		p.own.take(now, recipients)
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

func (p *pace) wait(now time.Time) (time.Duration, error) {
	wait := p.until.Sub(now)
	if wait > p.patience {
		stage := p.asked.Stage
		switch stage {
		case smtp.StageRcpt, smtp.StageData, smtp.StageBody:
			stage = smtp.StageMail // which this message has not passed
		}
		return wait, &smtp.Error{Stage: stage, Reply: p.asked.Reply,
			Err: fmt.Errorf("%w, until %s", ErrPaused, p.until.Format(time.DateTime))}
	}
	for i := range p.facts {
		wait = max(wait, p.facts[i].wait(now))
	}
	if p.rate > 0 {
		wait = max(wait, p.bounded(now))
	}
	return wait, nil
}

// bounded is the wait for the lowered rate, which has grown since it was set
// and is forgotten when it is back at what was usual.
func (p *pace) bounded(now time.Time) time.Duration {
	rate := p.grown(now)
	if rate >= p.usual {
		p.rate = 0
		return 0
	}
	p.own.interval, p.own.burst = time.Duration(float64(time.Second)/rate), 1
	return p.own.wait(now)
}

// grown is the rate by now.
func (p *pace) grown(now time.Time) float64 {
	quiet := max(0, now.Sub(p.rated))
	return p.rate + p.usual*float64(quiet)/float64(recovery)
}

// now is the epoch of what begins now.
func (p *pace) now() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epoch
}

// bound is how many connections may be open now.
func (p *pace) bound() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.allowed < p.max {
		steps := int(max(0, time.Since(p.lowered)) / raiseEvery)
		p.allowed = min(p.max, p.allowed+steps)
		p.lowered = p.lowered.Add(time.Duration(steps) * raiseEvery)
	}
	return p.allowed
}

// crowded heeds a server that found the connections too many while it serves
// others: those may carry on, and a new one is not tried for as long as it asks.
func (p *pace) crowded(retry diagnosis.Retry, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch == p.epoch {
		p.epoch++
		p.lower(time.Now().Add(min(retry.After, maxPause)))
	}
}

// lower halves the connections; they grow again from a moment on.
func (p *pace) lower(from time.Time) {
	p.allowed, p.lowered = max(1, p.allowed/2), from
}

// slow heeds a server that found what began in an epoch too much: the pause that
// it asks for, or one of our own, and half the rate over half the connections
// behind it.
func (p *pace) slow(said smtp.Error, retry diagnosis.Retry, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.epoch {
		return
	}
	p.epoch++
	now := time.Now()
	p.lower(now)
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
		p.rate = min(p.usual, p.grown(now))
	}
	// The pause itself lets nothing pass: growth begins behind it.
	p.rate, p.rated = max(p.rate/2, leastRate), p.until
}

// fine notes that what began in an epoch was accepted.
func (p *pace) fine(epoch int) {
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
