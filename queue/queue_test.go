package queue_test

import (
	"fmt"
	"testing"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

func TestWordsOfPriorities(t *testing.T) {
	t.Parallel()
	for i, p := range queue.Priorities() {
		if got, ok := queue.PriorityOf(p.Word()); !ok || got != p || queue.PriorityWords()[i] != p.Word() {
			t.Errorf("%d: got %d, %v for %q", p, got, ok, p.Word())
		}
	}
	if p, ok := queue.PriorityOf("urgent"); ok || p != queue.Normal {
		t.Errorf("urgent: got %d, %v, want no priority", p, ok)
	}
}

// The command translates the error of an outbox with a newer format.
func TestNewerErrorIsTranslated(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("opening: %w", &queue.NewerError{})
	said := false
	localerr.Say(err, func(english string, args ...any) string {
		said = true
		return fmt.Sprintf(english, args...)
	})
	if !said {
		t.Errorf("%v can't be translated", err)
	}
}
