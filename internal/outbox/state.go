package outbox

import "slices"

// State is where a recipient of a message is on its way. The values are stable
// words: they stand in databases, in JSON and in flags.
type State string

const (
	// Queued: nobody has tried yet, or nothing of the try counts. With a due time
	// that is to come it is called "scheduled".
	Queued State = "queued"
	// Deferred: tried, and to be tried again when it is due.
	Deferred State = "deferred"
	// Leased: a worker has it, and no last octet has left. It is safe to try again.
	Leased State = "leased"
	// Sending: the last octet may have left. Only an answer ends it, or doubt.
	Sending State = "sending"
	// InDoubt: the last octet may have left, and no answer came.
	InDoubt State = "in_doubt"
	// Held: a person, or a fault of this side that a person has to mend, keeps it.
	Held State = "held"
	// HandedOver: the server took it.
	HandedOver State = "handed_over"
	// Failed: the server refused it for good.
	Failed State = "failed"
	// Expired: it was not handed over in its time.
	Expired State = "expired"
	// Cancelled: a person took it back.
	Cancelled State = "cancelled"
)

// States lists all of them, in the order of a message's way.
func States() []State {
	return []State{Queued, Deferred, Leased, Sending, InDoubt, Held, HandedOver, Failed, Expired, Cancelled}
}

// Final reports whether nothing happens to a recipient in this state any more,
// unless a person wants it.
func (s State) Final() bool {
	return s == HandedOver || s == Failed || s == Expired || s == Cancelled
}

// Waiting reports whether a worker takes a recipient in this state once it is
// due.
func (s State) Waiting() bool { return s == Queued || s == Deferred }

// Moves is where a recipient may go from a state; that it may stay there, with another
// answer, is said only where a person can ask for it. What a late answer tells is
// believed: a worker that was given up may still learn what became of its message,
// so that Queued and InDoubt lead to every end.
func Moves(from State) []State {
	switch from {
	case Queued, Deferred:
		return []State{Queued, Leased, Held, Expired, Cancelled, HandedOver, Failed, Deferred, InDoubt}
	case Leased:
		return []State{Sending, Queued, Deferred, Held, Failed, InDoubt, Cancelled, HandedOver}
	case Sending:
		return []State{HandedOver, Failed, Deferred, InDoubt, Queued, Held}
	case InDoubt:
		return []State{HandedOver, Failed, Deferred, Queued, Held, Cancelled}
	case Held:
		return []State{Queued, Cancelled, HandedOver, Failed, InDoubt}
	case Failed, Expired, Cancelled:
		return []State{Queued}
	}
	return nil
}

// MayMove reports whether Moves has it.
func MayMove(from, to State) bool { return slices.Contains(Moves(from), to) }
