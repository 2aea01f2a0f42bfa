package diagnosis

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxWait is the maximum pause that a server may request.
const maxWait = 7 * 24 * time.Hour

// The elements of a pause. A number without words that request a pause is something else: "limit
// of 400 rcpts per 24 hours".
const (
	waitVerb   = `(?:again|retry|retried|wait|come back|resend)`
	waitLead   = waitVerb + `\s+(?:\w+\s+){0,2}?`
	waitState  = `(?:blocked|locked|banned|suspended|restricted|throttled|greylisted|graylisted|deferred|delayed)(?:\s+out)?\s+for\s+(?:\w+\s+){0,2}?`
	waitNumber = `(\d{1,6})(?:\s*(?:-|–|to)\s*(\d{1,6}))?\s*`
	waitUnit   = `(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b`
	zhNumber   = `(\d{1,6}|半|一|两|二|三|五|十)(?:\s*[-–~～至到]\s*(\d{1,6}))?\s*个?\s*`
	zhUnit     = `(秒|分钟|分|小时|天|日)`
)

// waitPhrases match a pause in a reply: "try again in 2 minutes", "retry after 300 seconds",
// "locked for 1 hour", "请在10分钟后重试". Their groups are the number, a larger one ("5-10 minutes")
// and the unit; of the last two patterns, hours, minutes and seconds, and seconds alone. The
// first match counts.
var waitPhrases = sync.OnceValue(func() []*regexp.Regexp {
	var list []*regexp.Regexp
	for _, p := range []string{
		`(?:` + waitLead + `|` + waitState + `)` + waitNumber + waitUnit,
		waitLead + `(half an?|an?|one)()\s+(second|minute|hour|day)\b`,
		zhNumber + zhUnit + `(?:钟)?(?:之?后|以后|再|内请勿|内勿|内不要|内禁止)`,
		`(?:等待|等候|稍等|等)\s*` + zhNumber + zhUnit,
		waitLead + `()()(\d{1,2}:\d{2}:\d{2})\b`,
		`retry-after\s*[:=]?\s*(\d{1,6})()()\b`,
	} {
		list = append(list, regexp.MustCompile(`(?i)`+p))
	}
	return list
})

// namedWait returns the pause named in a reply. A point in time does not count: the server's
// clock may differ.
func namedWait(text string) (wait time.Duration, ok bool) {
	for _, phrase := range waitPhrases() {
		if m := phrase.FindStringSubmatch(text); m != nil {
			return waitOf(m[1], m[2], m[3]), true
		}
	}
	return 0, false
}

// waitOf returns the duration of a number, or the larger of two, of a unit.
func waitOf(number, larger, unit string) time.Duration {
	if parts := strings.Split(unit, ":"); len(parts) == 3 {
		hours, minutes, seconds := parseCount(parts[0]), parseCount(parts[1]), parseCount(parts[2])
		return min((hours*60+minutes)*time.Minute+seconds*time.Second, maxWait)
	}
	of := unitOf(unit)
	if number == "半" || strings.HasPrefix(strings.ToLower(number), "half") {
		return of / 2
	}
	return min(max(parseCount(number), parseCount(larger))*of, maxWait)
}

// parseCount parses digits or a number word; anything else is 0.
func parseCount(word string) time.Duration {
	if n, err := strconv.Atoi(word); err == nil {
		return time.Duration(n)
	}
	switch strings.ToLower(word) {
	case "a", "an", "one", "一":
		return 1
	case "两", "二":
		return 2
	case "三":
		return 3
	case "五":
		return 5
	case "十":
		return 10
	default:
		return 0
	}
}

// unitOf returns the duration of a unit; no word means a second, and an unknown one a day.
func unitOf(word string) time.Duration {
	switch word {
	case "", "秒":
		return time.Second
	case "分钟", "分":
		return time.Minute
	case "小时":
		return time.Hour
	}
	switch word[0] | 0x20 {
	case 's':
		return time.Second
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	default:
		return 24 * time.Hour
	}
}
