// Package queuecmd is yan queue: it shows the outbox, changes what waits there, and
// sends what is due.
package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct{ chooser }

// New makes yan queue.
func New(o *outboxes.Outboxes) *cobra.Command { return (&runner{chooser{describer{o}}}).queueCommand() }
