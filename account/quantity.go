package account

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
)

// parsePace parses "60/m"; "" means no limit. The unit d is 24 hours.
func parsePace(s string) (Pace, error) {
	if s == "" {
		return Pace{}, nil
	}
	number, unit, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day}[strings.TrimSpace(unit)]
	if err != nil || n <= 0 || n > math.MaxInt32 || per == 0 {
		return Pace{}, localerr.New("want a number of messages per time, like 60/m; the units are s, m, h and d")
	}
	return Pace{Messages: n, Per: per}, nil
}

// String returns the pace in the form of the file; "" for no limit.
func (p Pace) String() string {
	for unit, per := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day} {
		if p.Per == per && p.Messages > 0 {
			return strconv.Itoa(p.Messages) + "/" + unit
		}
	}
	return ""
}

// parseSpan parses "7d", "12h" and everything that time.ParseDuration accepts; 0 is allowed.
func parseSpan(s string) (time.Duration, error) {
	const most = 100 * 365 * day
	if number, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && n <= int(most/day) {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > most {
		return 0, localerr.New("want a time with its unit, like 7d or 12h")
	}
	return d, nil
}

// sizeUnits are the units of sizes; a bare number is octets.
var sizeUnits = map[string]int64{"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1 << 10, "mib": mib, "gib": 1 << 30}

// parseSize parses "64MiB".
func parseSize(s string) (int64, error) {
	end := len(s)
	if i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		end = i
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(s[end:]))]
	if err != nil || !known || n > math.MaxInt64/unit {
		return 0, localerr.New("want a size with its unit, like 64MiB or 1GB")
	}
	return n * unit, nil
}
