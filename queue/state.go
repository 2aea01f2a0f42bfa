package queue

// State is the state of one recipient of a message. The values are stable words: they
// are used in databases, in JSON and in flags.
type State string

const (
	// Queued: not tried yet, or no try counted. A recipient that is queued until a later
	// time is called "scheduled".
	Queued State = "queued"
	// Deferred: tried, and to be tried again when it is due.
	Deferred State = "deferred"
	// Leased: a worker has it, and the last octet has not left. It is safe to try again.
	Leased State = "leased"
	// Sending: the last octet may have left. A reply ends this state, or doubt does.
	Sending State = "sending"
	// InDoubt: the last octet may have left, and no reply arrived.
	InDoubt State = "in_doubt"
	// Held: kept back by a user, or because of a local fault that a user must correct, until a user
	// releases it.
	Held State = "held"
	// HandedOver: the server accepted it.
	HandedOver State = "handed_over"
	// Failed: the server refused it permanently.
	Failed State = "failed"
	// Expired: it was not handed over before it expired.
	Expired State = "expired"
	// Cancelled: a user cancelled it.
	Cancelled State = "cancelled"
)

// States returns all states, from the first to the last of a message's life.
func States() []State {
	return []State{Queued, Deferred, Leased, Sending, InDoubt, Held, HandedOver, Failed, Expired, Cancelled}
}

// Final reports whether a recipient stays in this state unless a user changes it.
func (s State) Final() bool {
	return s == HandedOver || s == Failed || s == Expired || s == Cancelled
}

// Waiting reports whether a worker leases a recipient in this state once it is due.
func (s State) Waiting() bool { return s == Queued || s == Deferred }
