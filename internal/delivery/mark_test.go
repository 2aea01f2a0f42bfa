package delivery

import (
	"testing"
	"time"
)

// A message that waits for its own mark begins a little more than a commit after the one
// before it. Then two are marked at a time; over a slow link only one is.
func TestHowManyAreMarkedAtATime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		latency, interval time.Duration
		want              int
	}{
		{0, 0, 1},
		{10 * time.Millisecond, 10*time.Millisecond + 50*time.Microsecond, 2},
		{10 * time.Millisecond, 5 * time.Millisecond, 4},
		{10 * time.Millisecond, 20 * time.Millisecond, 1},
		{10 * time.Millisecond, time.Second, 1},
		{10 * time.Millisecond, time.Microsecond, mostAhead},
	} {
		r := &markRate{latency: test.latency, interval: test.interval}
		if got := r.batchTarget(); got != test.want {
			t.Errorf("a commit takes %v, a message begins every %v: %d are marked at a time, want %d", test.latency, test.interval, got, test.want)
		}
	}
}
