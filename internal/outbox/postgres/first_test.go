package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/pgtest"
)

// Several that open an outbox that is not there yet find it made, whoever makes it,
// at whichever moment they look.
func TestFirstOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for round := range 8 {
		url := server.Database(t)
		var group sync.WaitGroup
		start := make(chan struct{})
		for range 5 {
			group.Go(func() {
				<-start
				s, err := postgres.Open(context.Background(), url, outbox.Options{})
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
