package sending

import (
	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
)

// Summary counts the messages of a run by outcome.
type Summary struct {
	Messages int
	// Before counts messages that an earlier run sent to all recipients, Partial those sent to
	// some.
	Sent, Before, Partial, Refused, Deferred, Unknown, NotTried int
	// UnknownTo and RefusedTo count the recipients with such an outcome in the log that were not
	// sent to again.
	UnknownTo, RefusedTo int
	// Missing counts the messages that the next run with the same log will send, at least to some
	// recipients.
	Missing int

	// OutOfStep is set if the server lost commands that were sent together.
	OutOfStep bool
	// Unreachable is set if no server could be reached for some message. Unreached lists the
	// messages that were not reported for this reason, see Options.KeepUnreached; no server knows
	// them.
	Unreachable bool
	Unreached   []*Outgoing
	// LogErr is why the log could not be written. It may show messages as unknown whose outcome was
	// reported.
	LogErr error
}

func (s *Summary) countMessage(m *Outgoing, r yan.Result) {
	s.Messages++
	missing := false
	for i, o := range r.Recipients {
		logged := m.FromLog(i)
		switch {
		case o.Status == smtp.Unknown && logged:
			s.UnknownTo++
		case o.Status == smtp.Refused && logged:
			s.RefusedTo++
		}
		missing = missing || o.Status == smtp.Deferred || o.Status == smtp.NotTried
	}
	if missing {
		s.Missing++
	}
	o, failed := r.WorstOutcome()
	switch {
	case !failed && len(m.roundPlaces()) == 0:
		s.Before++
	case !failed:
		s.Sent++
	case o.Status == smtp.Unknown:
		s.Unknown++
	case r.Count(smtp.Accepted) > 0:
		s.Partial++
	case o.Status == smtp.Refused:
		s.Refused++
	case o.Status == smtp.Deferred:
		s.Deferred++
	default:
		s.NotTried++
	}
}
