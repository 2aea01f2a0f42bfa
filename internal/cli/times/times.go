// Package times reads the times that users write in flags, and formats times for them.
package times

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
)

// Slack is how far a time may be in the past and still mean now.
const Slack = 5 * time.Second

// Times reads and formats times of one command, by its clock and in its language.
type Times struct{ c *command.Context }

// New returns the Times of a command.
func New(c *command.Context) Times { return Times{c} }

// timeLayouts returns the layouts of a date with a time, which is local without a zone.
func timeLayouts() []string {
	return []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}
}

// days returns the words for a day, with its distance from today.
func days() map[string]int {
	return map[string]int{"today": 0, "tomorrow": 1, "yesterday": -1, "今天": 0, "明天": 1, "后天": 2, "昨天": -1, "前天": -2}
}

// Parse reads a time: RFC 3339, a date, a time of the day, or a day with a time. A time
// of the day alone is one of today; a day alone is its beginning.
func Parse(text string, now time.Time) (t time.Time, ok bool) {
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

// ParseDuration reads a duration in Go's notation, with days and weeks too.
func ParseDuration(text string) (d time.Duration, ok bool) {
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

// FutureTime reads a time in the future, or "+2h".
func (a Times) FutureTime(flag, text string) (time.Time, error) {
	now := a.c.Now()
	if rest, relative := strings.CutPrefix(text, "+"); relative {
		if d, ok := ParseDuration(rest); ok {
			return now.Add(d), nil
		}
	} else if strings.EqualFold(text, "now") {
		return now, nil
	} else if t, ok := Parse(text, now); ok {
		if t.Before(now.Add(-Slack)) {
			return t, a.pastError(flag, text, t, now)
		}
		return t, nil
	}
	return time.Time{}, command.Fail(command.ExitUsage, errors.New(a.c.T("%s %q: want a future time, like 15:30, \"tomorrow 9:00\", +2h or %s", a.c.Name(flag), text, exampleTime(now))), "")
}

func exampleTime(now time.Time) string {
	y, m, d := now.Date()
	return time.Date(y, m, d+1, 9, 0, 0, 0, now.Location()).Format(time.RFC3339)
}

// pastError suggests tomorrow for a time of the day that is over.
func (a Times) pastError(flag, text string, t, now time.Time) error {
	hint := ""
	if tomorrow := t.AddDate(0, 0, 1); !strings.Contains(text, "-") && tomorrow.After(now) {
		hint = a.c.T("For tomorrow, write \"tomorrow %s\".", tomorrow.Format("15:04"))
	}
	return command.Fail(command.ExitUsage, errors.New(a.c.T("%s %q: this time has passed: it is now %s", a.c.Name(flag), text, now.Format("2006-01-02 15:04"))), hint)
}

// Expiry reads when a message expires: a duration after from, or a time.
func (a Times) Expiry(flag, text string, from time.Time) (time.Time, error) {
	if d, ok := ParseDuration(strings.TrimPrefix(text, "+")); ok && d > 0 {
		return from.Add(d), nil
	}
	t, ok := Parse(text, a.c.Now())
	switch {
	case !ok || strings.HasPrefix(text, "+"):
		return t, a.c.Wrongf("%s %q: want a duration, like 12h or 3d, or a time, like %s", a.c.Name(flag), text, exampleTime(a.c.Now()))
	case !t.After(from):
		return t, a.c.Wrongf("%s %q: the message would expire before its first attempt, on %s", a.c.Name(flag), text, from.Format("2006-01-02 15:04"))
	}
	return t, nil
}

// PastTime reads a time in the past, or a duration before now.
func (a Times) PastTime(flag, text string) (time.Time, error) {
	now := a.c.Now()
	if d, ok := ParseDuration(strings.TrimPrefix(text, "-")); ok {
		return now.Add(-d), nil
	}
	if t, ok := Parse(text, now); ok {
		return t, nil
	}
	return time.Time{}, a.c.Wrongf("%s %q: want a time like 9:00, yesterday or 2026-01-31, or 2h for two hours ago", a.c.Name(flag), text)
}

// Moment formats a time for a user: without the day if that is today.
func (a Times) Moment(t time.Time) string {
	now := a.c.Now()
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Away formats the distance of a time from now.
func (a Times) Away(t time.Time) string {
	d := t.Sub(a.c.Now())
	switch {
	case d > 0:
		return a.c.T("in %s", a.c.Roughly(d))
	case d > -2*time.Second:
		return a.c.T("just now")
	}
	return a.c.T("%s ago", a.c.Roughly(-d))
}
