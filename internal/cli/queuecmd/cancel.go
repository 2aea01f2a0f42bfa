package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/queue"
)

func (a *runner) cancelCommand() *cobra.Command {
	return a.verbCommand(queue.Cancel, a.T("Take messages back that no server has yet"),
		"",
		"  yan queue cancel 12\n  yan queue cancel 12 --to friend@163.com\n  yan queue cancel --tag newsletter")
}
