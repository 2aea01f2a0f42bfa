package cli

import (
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/queue"
)

func TestFutureTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*60*60)
	now := time.Date(2026, 2, 28, 14, 0, 0, 0, zone)
	at := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, zone) }
	for text, want := range map[string]time.Time{
		"now": now, "+2h": at(2026, 2, 28, 16, 0), "+1h30m": at(2026, 2, 28, 15, 30), "+2d": at(2026, 3, 2, 14, 0), "+1w": at(2026, 3, 7, 14, 0),
		"15:30": at(2026, 2, 28, 15, 30), "15：30": at(2026, 2, 28, 15, 30), "tomorrow 9:00": at(2026, 3, 1, 9, 0), "Tomorrow 09:00": at(2026, 3, 1, 9, 0),
		"明天 9:00": at(2026, 3, 1, 9, 0), "后天8:05": at(2026, 3, 2, 8, 5), "tomorrow": at(2026, 3, 1, 0, 0),
		"2026-03-01T09:00:00+08:00": at(2026, 3, 1, 9, 0), "2026-03-01T01:00:00Z": at(2026, 3, 1, 9, 0), "2026-03-01 09:00": at(2026, 3, 1, 9, 0),
		"2026-03-01": at(2026, 3, 1, 0, 0), "14:00": now, "13:59:57": now.Add(-3 * time.Second),
		"13:00": {}, "2026-02-28": {}, "yesterday 15:00": {}, "2h": {}, "": {}, "+": {}, "+2": {}, "+2y": {}, "25:00": {}, "tomorrow noon": {},
		"+999999999d": {}, "1767225600": {},
	} {
		a, _, _ := testApp(i18n.English)
		a.Now = func() time.Time { return now }
		got, err := a.FutureTime("at", text)
		if (err != nil) != want.IsZero() || err == nil && !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
}

func TestPastTimeIsProbablyTomorrow(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	y, m, d := k.clock.Now().Date()
	k.clock.Set(time.Date(y, m, d, 14, 0, 0, 0, time.UTC))
	code, _, errs := k.yan("send", "-t", "a@qq.com", "-s", "x", "-b", "x", "--at", "9:00")
	if code != command.ExitUsage {
		t.Errorf("exit status %d", code)
	}
	clitest.Wants(t, "the error", errs, `--at "9:00": this time has passed`, `For tomorrow, write "tomorrow 09:00"`)
}

func TestExpiryCountsFromTheFirstTry(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	id := k.enqueues("-t", "a@qq.com", "--at", "+2h", "--expires", "30m", "--priority", "high")
	e, err := k.store.Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	now := k.clock.Now()
	if !e.NotBefore.Equal(now.Add(2*time.Hour)) || !e.Expires.Equal(now.Add(150*time.Minute)) || e.Priority != queue.High {
		t.Errorf("%+v", e)
	}
}
