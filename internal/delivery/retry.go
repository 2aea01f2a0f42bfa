package delivery

import (
	"math/rand/v2"
	"time"

	"github.com/yanmail/yan/diagnosis"
)

// afterFix is how long an account rests whose login was refused, or that has to be
// put right by a person: trying again soon is what providers lock accounts for.
const afterFix = time.Hour

// pauses are those between the tries of a message (RFC 5321 section 4.5.4.1 wants
// 30 minutes at least, as a rule; what is greylisted is taken sooner).
func pauses() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
}

// pause is how long to wait behind a try, when so many were made before it. It varies
// by a tenth, so that what failed together does not come back together.
func pause(before int) time.Duration {
	all := pauses()
	return vary(all[min(max(before, 0), len(all)-1)])
}

func vary(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()*0.2-0.1)*float64(d)) //nolint:gosec // nobody gains by guessing it
}

// connectPause is how long an account rests that got no connection: a login that
// was refused waits for a person, a server that is away comes back.
func connectPause(f diagnosis.Finding, failures int) time.Duration {
	switch f.Retry.Kind {
	case diagnosis.RetryAfterFix, diagnosis.RetryNever:
		return max(afterFix, f.Retry.After)
	case diagnosis.RetryDelay:
		return max(f.Retry.After, time.Minute)
	}
	return min(pause(failures), 30*time.Minute)
}
