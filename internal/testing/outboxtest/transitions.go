package outboxtest

import (
	"slices"

	"github.com/yanmail/yan/queue"
)

// transitions returns the states that a recipient may go to from a state. A state is in
// its own list only if a user can ask for that. A late answer is accepted: a worker whose
// lease has lapsed may still learn the result of its message, so that Queued and InDoubt
// lead to every final state.
func transitions(from queue.State) []queue.State {
	switch from {
	case queue.Queued, queue.Deferred:
		return []queue.State{queue.Queued, queue.Leased, queue.Held, queue.Expired, queue.Cancelled, queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt}
	case queue.Leased:
		return []queue.State{queue.Sending, queue.Queued, queue.Deferred, queue.Held, queue.Failed, queue.InDoubt, queue.Cancelled, queue.HandedOver}
	case queue.Sending:
		return []queue.State{queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Queued, queue.Held}
	case queue.InDoubt:
		return []queue.State{queue.HandedOver, queue.Failed, queue.Deferred, queue.Queued, queue.Held, queue.Cancelled}
	case queue.Held:
		return []queue.State{queue.Queued, queue.Cancelled, queue.HandedOver, queue.Failed, queue.InDoubt}
	case queue.Failed, queue.Expired, queue.Cancelled:
		return []queue.State{queue.Queued}
	}
	return nil
}

// mayMove reports whether a recipient may go from one state to another.
func mayMove(from, to queue.State) bool { return slices.Contains(transitions(from), to) }
