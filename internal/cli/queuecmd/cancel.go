package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) cancelCommand() *cobra.Command {
	return a.verbCommand(queue.Cancel, a.T("Cancel messages that no server has accepted yet"),
		"",
		"  yan queue cancel 12\n  yan queue cancel 12 --to friend@163.com\n  yan queue cancel --tag newsletter")
}
