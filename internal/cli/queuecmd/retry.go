package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) retryCommand() *cobra.Command {
	return a.verbCommand(queue.Retry, a.T("Retry now: deferred, scheduled, failed, expired or cancelled messages"),
		a.T("When you choose messages by flags without --state, only deferred recipients are retried: give --state for failed, cancelled or scheduled ones."),
		"  yan queue retry 12\n  yan queue retry --state failed --since 2h")
}
