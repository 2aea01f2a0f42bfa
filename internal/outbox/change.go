package outbox

import "github.com/yanmail/yan/queue"

// Change applies a verb to the recipients that match a filter, see queue.Filter. Limit and
// Before are ignored.
type Change struct {
	Verb   queue.Verb
	Filter queue.Filter
	// N selects one recipient of each message; nil selects all.
	N *int
}
