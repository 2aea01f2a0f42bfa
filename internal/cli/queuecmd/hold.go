package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) holdCommand() *cobra.Command {
	return a.verbCommand(queue.Hold, a.T("Hold messages until they are released"),
		"",
		"  yan queue hold 12\n  yan queue hold --account qq")
}
