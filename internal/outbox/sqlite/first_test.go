package sqlite

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

// Several that open an outbox that is not there yet find it made, whoever makes it,
// at whichever moment they look.
func TestFirstOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	for round := range 30 {
		path := filepath.Join(t.TempDir(), "outbox.db")
		var group sync.WaitGroup
		start := make(chan struct{})
		for range 6 {
			group.Go(func() {
				<-start
				s, err := Open(t.Context(), path, outbox.Options{MinFree: -1})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
				if err := s.Close(); err != nil {
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
