package smtp_test

import (
	"testing"

	"github.com/yanmail/yan/smtp"
)

// A failure before MAIL concerns the connection or the login. A failure after MAIL concerns a
// message, and QUIT, which follows the final reply, neither.
func TestStagesBeforeMail(t *testing.T) {
	t.Parallel()
	want := map[smtp.Stage]bool{
		smtp.StageConnect: true, smtp.StageTLS: true, smtp.StageGreeting: true, smtp.StageHello: true, smtp.StageStartTLS: true, smtp.StageAuth: true,
		smtp.StageMail: false, smtp.StageRcpt: false, smtp.StageData: false, smtp.StageBody: false, smtp.StageReset: false, smtp.StageQuit: false,
	}
	for _, stage := range smtp.Stages() {
		before, ok := want[stage]
		if !ok {
			t.Errorf("%s: this test does not say whether it comes before MAIL", stage)
		}
		if got := stage.BeforeMail(); got != before {
			t.Errorf("%s comes before MAIL: %v, want %v", stage, got, before)
		}
		delete(want, stage)
	}
	if len(want) > 0 {
		t.Errorf("smtp.Stages lacks %v", want)
	}
	if smtp.Stage("").BeforeMail() {
		t.Error("an unknown stage comes before MAIL")
	}
}
