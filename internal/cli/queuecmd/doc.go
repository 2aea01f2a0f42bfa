// Package queuecmd implements yan queue: it lists the outbox, changes its messages, and sends the
// due ones.
package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// queueCommands runs yan queue.
type queueCommands struct{ chooser }

// New returns the command yan queue.
func New(o *outboxes.Outboxes) *cobra.Command {
	return (&queueCommands{chooser{describer{o}}}).queueCommand()
}
