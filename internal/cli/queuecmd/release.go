package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) releaseCommand() *cobra.Command {
	return a.verbCommand(queue.Release, a.T("Release held messages"),
		"",
		"  yan queue release 12 13\n  yan queue release --account qq")
}
