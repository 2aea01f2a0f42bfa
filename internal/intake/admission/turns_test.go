package admission

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/spool"
)

// Longer messages wait for their turn, short ones do not.
func TestTurns(t *testing.T) {
	t.Parallel()
	a := New(Options{})
	for range cap(a.turns) {
		a.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for size, waits := range map[int]bool{1 << 10: false, 1 << 20: true} {
		text, err := spool.Read(strings.NewReader("Subject: x\n\n"+strings.Repeat("x\n", size/2)), t.TempDir(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer text.Close()
		tx := &Transaction{a: a, policy: struct{ Policy }{}}
		if _, err := tx.repairInTurn(ctx, text); errors.Is(err, context.Canceled) != waits {
			t.Errorf("%d octets: %v", size, err)
		}
	}
}
