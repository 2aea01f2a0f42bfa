// Package sendcmd implements yan send. It composes a message or reads whole ones, sends or enqueues
// them, and reports the outcome for each recipient.
package sendcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// sendCommand runs yan send.
type sendCommand struct {
	*outboxes.Outboxes
}

// New returns the command yan send.
func New(o *outboxes.Outboxes) *cobra.Command { return (&sendCommand{Outboxes: o}).cobraCommand() }
