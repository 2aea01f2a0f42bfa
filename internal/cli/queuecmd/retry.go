package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *runner) retryCommand() *cobra.Command {
	return a.verbCommand(queue.Retry, a.T("Try messages now: deferred and scheduled ones, and those that failed, expired or were cancelled"),
		a.T("Messages that are chosen by flags without --state are tried where they were deferred: what failed, was cancelled or has its time is tried when it is named."),
		"  yan queue retry 12\n  yan queue retry --state failed --since 2h")
}
