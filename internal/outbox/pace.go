package outbox

import "time"

// Pace is a token bucket with one token for each message. It gains Messages tokens in Per, and
// holds up to Burst tokens (at least 1) and those that arrive during Slack.
type Pace struct {
	Messages int
	Per      time.Duration
	Burst    int
	// Slack is how late a waiting worker may take its token without losing it. Otherwise the
	// duration of each claim would be added to the wait.
	Slack time.Duration
}

// IsZero reports whether the pace has no limit.
func (p Pace) IsZero() bool { return p.Messages <= 0 || p.Per <= 0 }

// Take takes up to want tokens from an account's bucket. A store keeps only full: the time at
// which the bucket will be full (zero: it is full). Take returns the new time, which the store
// keeps if it differs, and the time until there is a token, 0 if one is left.
//
// The number of tokens is never negative: a clock that was set back delays messages by at most
// the time to fill the bucket.
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
