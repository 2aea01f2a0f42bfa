package outbox

import "time"

// Pace is a bucket of tokens, one a message: it fills at Messages in Per, and
// holds Burst at most (1 at least), and what flows in during Slack.
type Pace struct {
	Messages int
	Per      time.Duration
	Burst    int
	// Slack is how late who waited for a token may come without anything being lost:
	// otherwise each claim's own time would come on top of the wait.
	Slack time.Duration
}

// IsZero reports whether there is none.
func (p Pace) IsZero() bool { return p.Messages <= 0 || p.Per <= 0 }

// Take takes up to want tokens. All that a store keeps of an account's bucket is
// full, when the bucket is full again (the zero time: it is). Take gives it anew, to be kept
// whenever it differs. Wait is how long it is until there is a token, 0 when one is
// left.
//
// A bucket is never emptier than empty: a clock that was set back costs no more than
// the time to fill it.
func (p Pace) Take(now, full time.Time, want int) (got int, fullAfter time.Time, wait time.Duration) {
	if p.IsZero() {
		return max(want, 0), full, 0
	}
	interval := max(p.Per/time.Duration(p.Messages), 1)
	holds := time.Duration(max(p.Burst, 1))*interval + max(p.Slack, 0)
	missing := min(max(full.Sub(now), 0), holds)
	left := int((holds - missing) / interval)
	got = min(max(want, 0), left)
	if got > 0 || full.After(now.Add(missing)) {
		full = now.Add(missing + time.Duration(got)*interval)
	}
	if got == left {
		wait = missing + time.Duration(got+1)*interval - holds
	}
	return got, full, wait
}
