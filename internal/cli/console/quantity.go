package console

import (
	"fmt"
	"time"
)

// Size formats a number of octets.
func Size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 999_950:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 999_950_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
}

// Duration formats a measured time: three digits, one unit.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

// Roughly formats a time to wait: one unit, rounded up so that the user does
// not retry too early; two units if one would be inaccurate.
func (a *Console) Roughly(d time.Duration) string {
	seconds := int((d + time.Second - 1) / time.Second)
	minutes := (seconds + 59) / 60
	hours := (minutes + 59) / 60
	switch {
	case seconds <= 1:
		return a.T("1 second")
	case seconds < 60:
		return a.T("%d seconds", seconds)
	case seconds == 60:
		return a.T("1 minute")
	case seconds <= 60*60 && seconds%60 == 0 && minutes < 60, seconds > 5*60 && minutes < 60:
		return a.T("%d minutes", minutes)
	case minutes < 60:
		return a.T("%d min %d s", seconds/60, seconds%60)
	case minutes == 60:
		return a.T("1 hour")
	case minutes%60 == 0 && hours < 48, hours > 5 && hours < 48:
		return a.T("%d hours", hours)
	case hours < 48:
		return a.T("%d h %d min", minutes/60, minutes%60)
	default:
		return a.T("%d days", (hours+23)/24)
	}
}
