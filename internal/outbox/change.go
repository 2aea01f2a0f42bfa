package outbox

import "github.com/yanmail/yan/queue"

// Change applies a verb to what a filter selects: in the selected messages, to the
// recipients that have all that the filter says about recipients. Limit and Before are
// ignored.
type Change struct {
	Verb   queue.Verb
	Filter queue.Filter
	// N selects one recipient of each message; nil selects all.
	N *int
}
