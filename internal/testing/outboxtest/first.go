package outboxtest

import (
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

// RunFirst lets several openers open an outbox that does not exist yet, at the same moment. Each
// must succeed. place returns a new place for each round.
func RunFirst(t *testing.T, rounds int, place func() (open func() (outbox.Store, error))) {
	const openers = 6
	for round := range Fewer(rounds) {
		open := place()
		var group sync.WaitGroup
		start := make(chan struct{})
		for range openers {
			group.Go(func() {
				<-start
				s, err := open()
				if err == nil {
					err = s.Close()
				}
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(start)
		group.Wait()
		if t.Failed() {
			return
		}
	}
}
