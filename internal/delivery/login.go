package delivery

import (
	"context"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// LoginWorked ends the rest of an account that a refused login began: a login with
// the same account has worked since. It reports whether there was one. A rest that a
// server asked for otherwise, such as a quota, goes on.
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

// refusedLogin reports whether an account rests because its login was refused, or
// because the server wanted one.
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
