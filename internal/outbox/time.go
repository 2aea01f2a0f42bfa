package outbox

import "time"

// Bounds of time. A time that is further ahead than these allow was set by a clock
// that was ahead, and is not believed.
const (
	// LongestPause is the longest time that a recipient or an account waits because
	// of an answer: a day, and a margin for the random spread. Settle and Pause
	// shorten what is longer.
	LongestPause = 30 * time.Hour
	// LongestLease is the longest lease of a worker. Join and Renew shorten what is longer.
	LongestLease = 15 * time.Minute
	// Overdue is how late a try has to be before its delay is added to the default
	// lifetime: the message could not be tried in that time.
	Overdue = time.Hour
	// PruneStep is the longest time by which the clock of Prune advances in one call,
	// see Retention.Automatic.
	PruneStep = 24 * time.Hour
)

// Timing says how to read the due time of a recipient that waits.
type Timing int

const (
	// Soon: it is due, whatever the clock shows. Its due time only decides the order.
	Soon Timing = iota
	// Paused: it is due after a pause, so never later than LongestPause from now.
	Paused
	// Dated: it is due at a time that the sender chose.
	Dated
)

// Ahead is how far a time is ahead of the clock: 0 for less than a minute.
func Ahead(at, now time.Time) time.Duration {
	if ahead := at.Sub(now); ahead >= time.Minute {
		return ahead
	}
	return 0
}

// Waits gives the time until a recipient is due, 0 for now. Sweep makes Soon of a
// pause that lasts longer than LongestPause.
func (t Timing) Waits(due, now time.Time) time.Duration {
	if t == Soon {
		return 0
	}
	return max(due.Sub(now), 0)
}

// PauseLeft gives the time until the pause of an account ends. A pause that would last
// longer than LongestPause was set while the clock was ahead, and has ended.
func PauseLeft(until, now time.Time) time.Duration {
	left := until.Sub(now)
	if left <= 0 || left > LongestPause {
		return 0
	}
	return left
}

// ResumedAt is the end of a pause that a person ended: a moment before 1970, which by no
// clock is still to come.
func ResumedAt(now time.Time) time.Time { return time.UnixMicro(-now.UnixMicro()).UTC() }

// ResumedOf is Due.Resumed for the end of a pause.
func ResumedOf(until time.Time) int64 {
	if until.IsZero() || until.Unix() >= 0 {
		return 0
	}
	return -until.UnixMicro()
}

// Extend gives the expiry of a message without an expiry of its own, after a try that
// was put off. Time in which it was due and was not tried does not count, except for
// delays up to Overdue; and a clock that was ahead does not lengthen its lifetime.
func Extend(expires, due, now time.Time) time.Time {
	if late := now.Sub(due); late > Overdue {
		expires = expires.Add(late)
	}
	if most := now.Add(Lifetime); expires.After(most) {
		return most
	}
	return expires
}

// Uptime is a time that nobody can set: since the machine was started, including the
// time that it slept.
type Uptime struct {
	Boot  string // differs after each start; "" where the system does not tell
	Since time.Duration
}

// Lapsed reports whether a lease has ended. It ends with the machine, too.
func (u Uptime) Lapsed(boot string, until time.Duration) bool {
	return boot != u.Boot || until <= u.Since || until > u.Since+LongestLease
}
