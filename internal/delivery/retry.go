package delivery

import (
	"math/rand/v2"
	"time"

	"github.com/yanmail/yan/diagnosis"
)

// afterFix is how long an account pauses whose login was refused, or that a user must correct:
// providers lock accounts that try again soon.
const afterFix = time.Hour

// retryPauses returns the pauses between the attempts of a message (RFC 5321 section 4.5.4.1 wants
// at least 30 minutes as a rule; greylisted messages are accepted sooner).
func retryPauses() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
}

// retryPause returns the pause after an attempt, given the number of earlier attempts. It varies by
// a tenth, so that messages that failed together are not retried together.
func retryPause(before int) time.Duration {
	all := retryPauses()
	return varyDuration(all[min(max(before, 0), len(all)-1)])
}

func varyDuration(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()*0.2-0.1)*float64(d)) //nolint:gosec // nobody gains by guessing it
}

// connectPause returns how long an account pauses that got no connection: after a refused
// login until a user can correct it, otherwise until the server may be back.
func connectPause(f diagnosis.Finding, failures int) time.Duration {
	switch f.Retry.Kind {
	case diagnosis.RetryAfterFix, diagnosis.RetryNever:
		return max(afterFix, f.Retry.After)
	case diagnosis.RetryDelay:
		return max(f.Retry.After, time.Minute)
	}
	return min(retryPause(failures), 30*time.Minute)
}
