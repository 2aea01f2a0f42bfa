package accountroute

import (
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/provider"
)

// However the messages come, no interval has more than the account may send; and over a long time
// not much less.
func TestPaceIsNeverExceeded(t *testing.T) {
	t.Parallel()
	for _, want := range []account.Pace{
		{Messages: 1, Per: time.Second}, {Messages: 2, Per: time.Minute}, {Messages: 9, Per: time.Minute}, {Messages: 10, Per: time.Second},
		{Messages: 60, Per: time.Minute}, {Messages: 500, Per: 24 * time.Hour}, {Messages: 1234, Per: time.Hour},
	} {
		p := accountPace(want, provider.Provider{})
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		now, full := start, time.Time{}
		var sent []time.Time
		for now.Before(start.Add(4 * want.Per)) {
			got, after, wait := p.Take(now, full, 1<<20)
			full = after
			for range got {
				sent = append(sent, now)
			}
			now = now.Add(max(wait, time.Millisecond))
		}
		for first, last := 0, 0; last < len(sent); last++ {
			for sent[last].Sub(sent[first]) >= want.Per-time.Millisecond { // the stores' precision
				first++
			}
			if n := last - first + 1; n > want.Messages {
				t.Fatalf("%s: %d messages in %s", want, n, sent[last].Sub(sent[first]))
			}
		}
		if least := 4 * want.Messages * 95 / 100; len(sent) < least {
			t.Errorf("%s: %d messages in four times that, want at least %d", want, len(sent), least)
		}
	}
	if !accountPace(account.Pace{}, provider.Provider{}).IsZero() {
		t.Error("no pace returned a limit")
	}
}

// A provider's own statement applies to all machines; guesses of others do not.
func TestPaceOfTheProvider(t *testing.T) {
	t.Parallel()
	var p provider.Provider
	p.Limits.PerMinute = provider.Limit{Value: 30, Unit: "messages", Status: provider.Official}
	if got := accountPace(account.Pace{}, p); got.Messages != 30 || got.Per != time.Minute {
		t.Errorf("the provider's: %+v", got)
	}
	if got := accountPace(account.Pace{Messages: 5, Per: time.Second}, p); got.Messages != 5 || got.Per != time.Second {
		t.Errorf("the account's own: %+v", got)
	}
	p.Limits.PerMinute.Status = provider.Reported
	if got := accountPace(account.Pace{}, p); !got.IsZero() {
		t.Errorf("a guess: %+v", got)
	}
}
