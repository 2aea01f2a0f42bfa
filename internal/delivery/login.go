package delivery

import (
	"context"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// LoginWorked ends the pause of an account after a refused login, because a login has worked
// since. It reports whether there was such a pause. A pause for another reason, such as a
// quota, continues.
func LoginWorked(ctx context.Context, s outbox.Admin, account string) (resumed bool, err error) {
	stats, err := s.Stats(ctx)
	if err != nil {
		return false, err
	}
	for _, a := range stats.Accounts {
		if a.Account == account && a.PausedFor > 0 && refusedLogin(a.PauseAnswer) {
			return true, s.Resume(ctx, account)
		}
	}
	return false, nil
}

// refusedLogin reports whether an account is paused because its login was refused, or because
// the server required one.
func refusedLogin(why queue.Answer) bool {
	if why.Stage == smtp.StageAuth {
		return true
	}
	switch diagnosis.Class(why.Class) {
	case diagnosis.ClassAuthRequired, diagnosis.ClassAuthBadCredentials:
		return true
	}
	return false
}
