package outbox

import "time"

// Limits of time. A time further ahead than these limits was set by a clock that was ahead,
// and is not believed.
const (
	// LongestPause is the longest time that a recipient or an account waits because of an
	// answer: a day, and a margin for the random spread. Settle and Pause shorten longer
	// times.
	LongestPause = 30 * time.Hour
	// LongestLease is the longest lease of a worker. Join and Renew shorten longer ones.
	LongestLease = 15 * time.Minute
	// Overdue is the delay of an attempt from which on the delay is added to the default
	// lifetime: the message could not be tried in that time.
	Overdue = time.Hour
	// PruneStep is the longest time by which the clock of Prune advances in one call,
	// see Retention.Automatic.
	PruneStep = 24 * time.Hour
)

// Timing says how to read the due time of a waiting recipient.
type Timing int

const (
	// Soon: the recipient is due at any time of the clock. The due time only decides the
	// order.
	Soon Timing = iota
	// Paused: the recipient is due after a pause, so never later than LongestPause from now.
	Paused
	// Dated: the recipient is due at a time that the sender chose.
	Dated
)

// ClockAhead returns how far a time is ahead of the clock: 0 for less than a minute.
func ClockAhead(at, now time.Time) time.Duration {
	if ahead := at.Sub(now); ahead >= time.Minute {
		return ahead
	}
	return 0
}

// WaitTime returns the time until a recipient is due, 0 for now. Sweep changes a pause longer
// than LongestPause to Soon.
func (t Timing) WaitTime(due, now time.Time) time.Duration {
	if t == Soon {
		return 0
	}
	return max(due.Sub(now), 0)
}

// PauseLeft returns the time until the pause of an account ends. A pause that would last
// longer than LongestPause was set while the clock was ahead, and counts as ended.
func PauseLeft(until, now time.Time) time.Duration {
	left := until.Sub(now)
	if left <= 0 || left > LongestPause {
		return 0
	}
	return left
}

// ResumedAt returns the end of a pause that a user ended: a time before 1970, which is in the
// past for every clock.
func ResumedAt(now time.Time) time.Time { return time.UnixMicro(-now.UnixMicro()).UTC() }

// ResumedOf returns Due.Resumed for the end of a pause.
func ResumedOf(until time.Time) int64 {
	if until.IsZero() || until.Unix() >= 0 {
		return 0
	}
	return -until.UnixMicro()
}

// ExtendExpiry returns the expiry of a message without an expiry of its own, after an attempt was
// deferred. Time in which the message was due and not tried does not count, except for delays
// up to Overdue. A clock that was ahead does not lengthen the lifetime.
func ExtendExpiry(expires, due, now time.Time) time.Time {
	if late := now.Sub(due); late > Overdue {
		expires = expires.Add(late)
	}
	if most := now.Add(Lifetime); expires.After(most) {
		return most
	}
	return expires
}

// Uptime is the time since the machine was started, including its sleep. No user can set it.
type Uptime struct {
	Boot  string // differs after each start; "" if the system does not tell
	Since time.Duration
}

// LeaseLapsed reports whether a lease has ended. A restart of the machine ends it, too.
func (u Uptime) LeaseLapsed(boot string, until time.Duration) bool {
	return boot != u.Boot || until <= u.Since || until > u.Since+LongestLease
}
