package daemon

import (
	"strings"
	"testing"
	"time"
)

// A clock that is behind the newest entry of the outbox is reported once when the daemon
// starts; a clock that is right is not.
func TestAClockThatJumpedIsLogged(t *testing.T) {
	t.Parallel()
	const line = `level=WARN msg="the newest entry of the outbox is ahead of the clock" ahead_ms=7200000`
	for ahead, times := range map[time.Duration]int{0: 0, 2 * time.Hour: 1} {
		r := startDaemon(t, func(o *Options) { o.Store.(*fakeStore).ahead = ahead })
		r.stop()
		receiveWithin(t, r.told, "the delivery is told to end")
		r.end <- nil
		if err := receiveWithin(t, r.ended, "the end"); err != nil {
			t.Error(err)
		}
		if text := r.log.String(); strings.Count(text, line) != times || strings.Count(text, "ahead") != 2*times {
			t.Errorf("ahead by %v:\n%s", ahead, text)
		}
	}
}
