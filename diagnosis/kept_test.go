package diagnosis_test

import (
	"fmt"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// What is kept of an error says as much as the error did: the advice of a queued message
// is that of one which is sent at once.
func TestKeptErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range namedErrors() {
		err := fmt.Errorf("somewhere: %w", tt.err)
		now := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageMail, Err: err, Status: smtp.NotTried})
		kept, ok := diagnosis.Kept(now.Class, smtp.StageMail, err.Error())
		if !ok || kept.Cause != now.Cause || kept.Advice != now.Advice || now.Row == "" && name != "ErrNoServerHello" && kept.Hint != now.Hint {
			t.Errorf("%s: %v, want %v", name, kept, now)
		}
	}
	if _, ok := diagnosis.Kept("NO_SUCH_CLASS", smtp.StageMail, "x"); ok {
		t.Error("an unknown class has a meaning")
	}
	if f, ok := diagnosis.Kept(diagnosis.ClassTimeout, smtp.StageConnect, "dial tcp: i/o timeout"); !ok || f.Class != diagnosis.ClassTimeout || f.Permanence != diagnosis.Temporary {
		t.Errorf("other words: %v", f)
	}
}
