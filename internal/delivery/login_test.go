package delivery_test

import (
	"testing"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// A login that worked ends a pause after a refused login, and no other.
func TestALoginThatWorkedEndsTheRest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  queue.Answer
		ends bool
	}{
		{queue.Answer{Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 535}, Class: string(diagnosis.ClassAuthBadCredentials)}, true},
		{queue.Answer{Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 454}}, true},
		{queue.Answer{Stage: smtp.StageMail, Reply: smtp.Reply{Code: 530}, Class: string(diagnosis.ClassAuthRequired)}, true},
		{queue.Answer{Stage: smtp.StageData, Reply: smtp.Reply{Code: 550}, Class: string(diagnosis.ClassDailyQuota)}, false},
		{queue.Answer{Stage: smtp.StageGreeting, Reply: smtp.Reply{Code: 421}}, false},
	} {
		w := newWorld(t)
		w.enqueueTo("a@example.org")
		if _, err := w.model.Pause(t.Context(), outbox.Pause{Account: account, For: time.Hour, Answer: c.why}); err != nil {
			t.Fatal(err)
		}
		if resumed, err := delivery.LoginWorked(t.Context(), w.model, "another"); resumed || err != nil {
			t.Errorf("another account: %v, %v", resumed, err)
		}
		resumed, err := delivery.LoginWorked(t.Context(), w.model, account)
		if resumed != c.ends || err != nil || (w.pausedFor() == 0) != c.ends {
			t.Errorf("%+v: resumed %v, %v, paused for %v", c.why, resumed, err, w.pausedFor())
		}
	}
}
