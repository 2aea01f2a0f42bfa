package diagnosis

import (
	"regexp"
	"strconv"
	"sync"
	"time"
)

// maxWait bounds what a server may ask for.
const maxWait = 7 * 24 * time.Hour

// waitPhrase finds a pause in a reply: "try again in 2 minutes", "retry after
// 300 seconds", "请在10分钟后重试". A number without such words around it is
// something else: "limit of 400 rcpts per 24 hours".
var waitPhrase = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:again|retry|wait|come back|resend)\s+(?:\w+\s+){0,2}?(\d{1,6})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b` +
		`|(\d{1,6})\s*(秒|分钟|分|小时|天)(?:之?后|再)`)
})

// namedWait is the pause that a reply names.
func namedWait(text string) (wait time.Duration, ok bool) {
	m := waitPhrase().FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	number, unit := m[1], m[2]
	if number == "" {
		number, unit = m[3], m[4]
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, false
	}
	return min(time.Duration(n)*unitOf(unit), maxWait), true
}

func unitOf(word string) time.Duration {
	switch word[0] | 0x20 {
	case 's':
		return time.Second
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	}
	switch word {
	case "秒":
		return time.Second
	case "小时":
		return time.Hour
	case "天":
		return 24 * time.Hour
	default:
		return time.Minute
	}
}
