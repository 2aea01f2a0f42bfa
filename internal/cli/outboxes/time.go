package outboxes

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
)

// Slack is how far a time may lie in the past and still mean now.
const Slack = 5 * time.Second

// timeLayouts are how people write a date with a time; without a zone it is the local
// one.
func timeLayouts() []string {
	return []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}
}

// days are the words for a day, by how far it is away.
func days() map[string]int {
	return map[string]int{"today": 0, "tomorrow": 1, "yesterday": -1, "今天": 0, "明天": 1, "后天": 2, "昨天": -1, "前天": -2}
}

// SomeTime reads a time: RFC 3339, a date, a time of the day, or a day with a time.
// A time of the day alone is one of today; isDay says that there was none, which
// is the beginning of the day.
func SomeTime(text string, now time.Time) (t time.Time, ok bool) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "：", ":"))
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, layout := range timeLayouts() {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, true
		}
	}
	day, clock := 0, text
	for word, away := range days() {
		if rest, found := strings.CutPrefix(strings.ToLower(text), word); found {
			day, clock = away, strings.TrimSpace(rest)
			if clock == "" {
				clock = "0:00"
			}
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if c, err := time.Parse(layout, clock); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d+day, c.Hour(), c.Minute(), c.Second(), 0, now.Location()), true
		}
	}
	return time.Time{}, false
}

var (
	spanText = regexp.MustCompile(`^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$`)
	spanPart = regexp.MustCompile(`(\d+(?:\.\d+)?)(ms|[smhdw])`)
)

// Span reads a length of time: as Go writes it, with days and weeks, too.
func Span(text string) (d time.Duration, ok bool) {
	if !spanText.MatchString(text) {
		return 0, false
	}
	units := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	var sum float64
	for _, part := range spanPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, false
		}
		sum += n * float64(units[part[2]])
	}
	if sum > float64(100*366*24*time.Hour) {
		return 0, false
	}
	return time.Duration(sum), true
}

// FutureTime reads when a message is to go: a time to come, or "+2h".
func (a *Outboxes) FutureTime(flag, text string) (time.Time, error) {
	now := a.Now()
	if rest, relative := strings.CutPrefix(text, "+"); relative {
		if d, ok := Span(rest); ok {
			return now.Add(d), nil
		}
	} else if strings.EqualFold(text, "now") {
		return now, nil
	} else if t, ok := SomeTime(text, now); ok {
		if t.Before(now.Add(-Slack)) {
			return t, a.pastError(flag, text, t, now)
		}
		return t, nil
	}
	return time.Time{}, command.Fail(command.ExitUsage, errors.New(a.T("%s %q: want a time to come, like 15:30, \"tomorrow 9:00\", +2h or %s", a.Name(flag), text, exampleTime(now))), "")
}

func exampleTime(now time.Time) string {
	y, m, d := now.Date()
	return time.Date(y, m, d+1, 9, 0, 0, 0, now.Location()).Format(time.RFC3339)
}

// pastError: a time of the day that is over is probably meant for tomorrow.
func (a *Outboxes) pastError(flag, text string, t, now time.Time) error {
	hint := ""
	if tomorrow := t.AddDate(0, 0, 1); !strings.Contains(text, "-") && tomorrow.After(now) {
		hint = a.T("For tomorrow write \"tomorrow %s\".", tomorrow.Format("15:04"))
	}
	return command.Fail(command.ExitUsage, errors.New(a.T("%s %q: this time is over: it is %s now", a.Name(flag), text, now.Format("2006-01-02 15:04"))), hint)
}

// Expiry reads until when a message may wait: a length of time behind from, or a
// time.
func (a *Outboxes) Expiry(flag, text string, from time.Time) (time.Time, error) {
	if d, ok := Span(strings.TrimPrefix(text, "+")); ok && d > 0 {
		return from.Add(d), nil
	}
	t, ok := SomeTime(text, a.Now())
	switch {
	case !ok || strings.HasPrefix(text, "+"):
		return t, a.Wrongf("%s %q: want how long, like 12h or 3d, or a time, like %s", a.Name(flag), text, exampleTime(a.Now()))
	case !t.After(from):
		return t, a.Wrongf("%s %q: the message would have had its time before it is first tried, on %s", a.Name(flag), text, from.Format("2006-01-02 15:04"))
	}
	return t, nil
}

// PastTime reads a time of what was; a length of time is so long ago.
func (a *Outboxes) PastTime(flag, text string) (time.Time, error) {
	now := a.Now()
	if d, ok := Span(strings.TrimPrefix(text, "-")); ok {
		return now.Add(-d), nil
	}
	if t, ok := SomeTime(text, now); ok {
		return t, nil
	}
	return time.Time{}, a.Wrongf("%s %q: want a time like 9:00, yesterday or 2026-01-31, or 2h for two hours ago", a.Name(flag), text)
}

// Moment is a time as people read it: without the day where that is today.
func (a *Outboxes) Moment(t time.Time) string {
	now := a.Now()
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Away is how far a time is from now.
func (a *Outboxes) Away(t time.Time) string {
	d := t.Sub(a.Now())
	switch {
	case d > 0:
		return a.T("in %s", a.Roughly(d))
	case d > -2*time.Second:
		return a.T("just now")
	}
	return a.T("%s ago", a.Roughly(-d))
}
