package sqlite

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

// The ranges of delivery.waits, see schema/0002.sql.
const (
	soonBefore = -1 << 62 // added to the due time of a recipient that is due now
	datesFrom  = 1 << 61  // added to a date
)

// waitsColumn returns the value of the column waits.
func waitsColumn(due int64, timing outbox.Timing) int64 {
	switch timing {
	case outbox.Soon:
		return due + soonBefore
	case outbox.Dated:
		return due + datesFrom
	}
	return due
}

// setDue makes a recipient due after a time.
func (d *deliveryRow) setDue(now int64, after time.Duration) {
	after = min(max(after, 0), outbox.LongestPause)
	d.due, d.timing = now+durationMicros(after), outbox.Paused
	if after == 0 {
		d.timing = outbox.Soon
	}
}

// pauseLeft returns the rest of an account's pause.
func pauseLeft(until, now int64) time.Duration {
	return outbox.PauseLeft(fromMicros(until), fromMicros(now))
}

// leaseEnd is the end of a lease, by the clock and by the uptime.
type leaseEnd struct {
	until int64
	boot  string
	ends  int64
}

func (t *txn) leaseOf(d time.Duration) leaseEnd {
	d = min(max(d, 0), outbox.LongestLease)
	up := t.s.uptime()
	return leaseEnd{t.now + durationMicros(d), up.Boot, durationMicros(up.Since + d)}
}

// uptime returns the uptime of the options, of their clock, or of the system.
func (s *sqliteStore) uptime() outbox.Uptime {
	switch {
	case s.options.Uptime != nil:
		return s.options.Uptime()
	case s.ownClock:
		return outbox.Uptime{}
	}
	return systemUptime()
}

// Conditions on rows of worker, with three arguments each: the boot, the uptime and the clock.
// A lease is checked by the uptime in which it was granted, and by the clock only if the
// uptime was not known.
const (
	longestLease = "900000000" // outbox.LongestLease
	lapsedNow    = `CASE boot WHEN '' THEN until <= ?3 OR until > ?3 + ` + longestLease + ` WHEN ?1 THEN ends <= ?2 OR ends > ?2 + ` + longestLease + ` ELSE 1 END`
)

func (s *sqliteStore) leaseArgs(now int64) []any {
	up := s.uptime()
	return []any{up.Boot, up.Since.Microseconds(), now}
}
