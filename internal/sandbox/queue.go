package sandbox

import (
	"slices"
	"sync"

	"github.com/yanmail/yan/smtp"
)

// faultQueue holds the pending faults of the server, of a connection or of a
// transaction.
type faultQueue struct {
	mu    sync.Mutex
	queue []Fault
}

func newFaultQueue(faults []Fault) *faultQueue { return &faultQueue{queue: slices.Clone(faults)} }

func (q *faultQueue) addFault(f Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, f)
}

// takeFault returns the first fault of a stage and decrements its count.
func (q *faultQueue) takeFault(stage smtp.Stage, midway bool) *Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.queue {
		if f.Stage != stage || f.Octets > 0 != midway {
			continue
		}
		if f.Times == 1 {
			q.queue = slices.Delete(q.queue, i, i+1)
		} else if f.Times > 1 {
			q.queue[i].Times--
		}
		return &f
	}
	return nil
}
