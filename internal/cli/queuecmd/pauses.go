package queuecmd

import (
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
)

// outboxWarnings returns the warnings about the whole outbox.
func (a describer) outboxWarnings(stats queue.Stats) (lines []string) {
	if stats.Copied {
		lines = append(lines, a.T("This outbox is a copy of another one and delivers nothing."), "  "+a.CopiedHint())
	}
	if stats.Ahead > 0 {
		lines = append(lines, a.T("The newest entry is %s ahead of the clock: the clock was wrong then, or is wrong now.", a.Roughly(max(stats.Ahead, time.Minute))))
	}
	return lines
}

// printPauses prints the paused accounts.
func (a describer) printPauses(stats queue.Stats) {
	for _, acc := range stats.Accounts {
		if acc.PausedFor > 0 {
			a.Errf("%s\n", console.VisibleLines(a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer)))
		}
	}
}

// pauseLine says that an account is paused, for how long and why.
func (a describer) pauseLine(account string, left time.Duration, why queue.Answer) string {
	line := a.T("Account %s is paused for %s", console.Visible(account), a.Roughly(left))
	answer, next := a.answerLine(why), a.T("To resume now: %s", "yan queue resume "+console.Visible(account))
	if why.Stage == "" && why.Reply.IsZero() && a.accountRemoved(account) {
		answer = a.T("unknown account %q", console.Visible(account))
		next = a.T("Set the account up again with this name, or cancel its messages: %s", "yan queue cancel --account "+console.Visible(account))
	}
	if answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + next
}

// localPauseLine says that an account can't send from this machine, and why. Other workers may be able
// to.
func (a describer) localPauseLine(account string, why queue.Answer) string {
	line := a.T("Account %s can't send from this machine at the moment", console.Visible(account))
	if answer := a.answerLine(why); answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + a.T("The next 'yan queue run' will try again.")
}

// accountRemoved reports whether the account was removed from the configuration.
func (a describer) accountRemoved(account string) bool {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return false
	}
	_, ok := f.Account(account)
	return !ok
}
