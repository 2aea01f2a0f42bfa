package outbox_test

import (
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

func TestPaceTakesTokens(t *testing.T) {
	t.Parallel()
	pace := outbox.Pace{Messages: 60, Per: time.Minute, Burst: 3}
	now := time.Unix(1e9, 0)
	var full time.Time
	for i, step := range []struct {
		after     time.Duration
		want, got int
		wait      time.Duration
	}{
		{0, 2, 2, 0},           // full at first
		{0, 2, 1, time.Second}, // the last
		{0, 1, 0, time.Second}, // none
		{300 * time.Millisecond, 1, 0, 700 * time.Millisecond},  // not yet
		{700 * time.Millisecond, 1, 1, time.Second},             // one a second
		{time.Hour, 9, 3, time.Second},                          // no more than Burst
		{-time.Hour, 9, 0, time.Second},                         // set back: empty, not worse
		{1500 * time.Millisecond, 9, 1, 500 * time.Millisecond}, // a partial token counts
		{500 * time.Millisecond, -1, 0, 0},                      // nothing wanted, one left
		{0, 1, 1, time.Second},
	} {
		now = now.Add(step.after)
		got, after, wait := pace.Take(now, full, step.want)
		if got != step.got || wait != step.wait {
			t.Errorf("step %d: got %d, wait %v; want %d, %v", i, got, wait, step.got, step.wait)
		}
		full = after
	}
	if got, _, wait := (outbox.Pace{}).Take(now, full, 1000); got != 1000 || wait != 0 {
		t.Errorf("no pace: got %d, wait %v", got, wait)
	}
	if got, _, _ := (outbox.Pace{Messages: 1, Per: time.Second}).Take(now, time.Time{}, 5); got != 1 {
		t.Errorf("without a burst: got %d, want 1", got)
	}
}

// A worker that is a little late each time still gets the tokens that the pace allows, and no
// more.
func TestPaceForgivesBeingLate(t *testing.T) {
	t.Parallel()
	pace := outbox.Pace{Messages: 50, Per: time.Second, Burst: 1, Slack: 5 * time.Millisecond}
	start := time.Unix(1e9, 0)
	now, full, taken := start, time.Time{}, 0
	for now.Before(start.Add(time.Minute)) {
		got, after, wait := pace.Take(now, full, 1)
		taken, full = taken+got, after
		now = now.Add(wait + 2*time.Millisecond) // the claim's own time
	}
	if taken < 50*60-1 || taken > 50*60+1 {
		t.Errorf("%d messages in a minute, want 3000", taken)
	}
}
