package discover

import (
	"context"
	"errors"
	"testing"
	"time"
)

// taskOf returns a task that waits for its turn, or for its context.
func taskOf(value string, turn <-chan struct{}, after chan<- struct{}) task[string] {
	return func(ctx context.Context) (string, bool) {
		if turn != nil {
			select {
			case <-turn:
			case <-ctx.Done():
				if after != nil {
					close(after)
				}
				return "", false
			}
		}
		if after != nil {
			close(after)
		}
		return value, value != ""
	}
}

func TestFirstWaitsForWhatIsBetter(t *testing.T) {
	t.Parallel()
	turn := make(chan struct{})
	got, ok := firstInOrder(t.Context(), time.Hour, []task[string]{
		taskOf("", nil, nil),
		taskOf("better", turn, nil),
		taskOf("worse", nil, turn),
	})
	if got != "better" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

// Worse tasks are cancelled, and have ended when first returns.
func TestFirstCallsOff(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	got, ok := firstInOrder(t.Context(), time.Hour, []task[string]{
		taskOf("better", nil, nil),
		taskOf("worse", make(chan struct{}), ended),
	})
	if got != "better" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	select {
	case <-ended:
	default:
		t.Error("a task still runs")
	}
}

func TestFirstIsNotPatientForEver(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	var why error
	got, ok := firstInOrder(t.Context(), time.Millisecond, []task[string]{
		func(ctx context.Context) (string, bool) {
			<-ctx.Done()
			why = context.Cause(ctx)
			return "", false
		},
		taskOf("better", never, nil),
		taskOf("worse", nil, nil),
	})
	if got != "worse" || !ok || !errors.Is(why, errNotAwaited) {
		t.Errorf("got %q, %v, %v", got, ok, why)
	}
}

func TestFirstOfNothing(t *testing.T) {
	t.Parallel()
	if _, ok := firstInOrder[string](t.Context(), time.Hour, nil); ok {
		t.Error("got a value, want none")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := firstInOrder(ctx, time.Hour, []task[string]{taskOf("", nil, nil), taskOf("late", make(chan struct{}), nil)}); ok {
		t.Error("got a value, want none")
	}
}

func TestInside(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		host, domain string
		want         bool
	}{
		{"smtp.corp.example", "corp.example", true},
		{"corp.example", "corp.example", true},
		{"smtp.corp.example", "dept.corp.example", true},
		{"mail.uni.edu.cn", "cs.uni.edu.cn", true},
		{"smtp.corp.example.evil.example", "corp.example", false},
		{"evilcorp.example", "corp.example", false},
		{"smtp.other.co.uk", "corp.co.uk", false},
		{"smtp.other.com.cn", "corp.com.cn", false},
		{"smtp.github.io", "github.io", false},
		{"other.github.io", "mine.github.io", false},
		{"co.uk", "corp.co.uk", false},
		{"localhost", "localhost", true},
		{"smtp.localhost", "localhost", false},
	} {
		if got := insideDomain(test.host, test.domain); got != test.want {
			t.Errorf("inside(%q, %q) = %v", test.host, test.domain, got)
		}
	}
}
