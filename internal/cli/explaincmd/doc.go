// Package explaincmd implements yan explain: it finds the reply or the error in
// any text, and explains its meaning and the remedy.
package explaincmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// explainCommand runs the command.
type explainCommand struct {
	*outboxes.Outboxes
}

// New returns yan explain.
func New(o *outboxes.Outboxes) *cobra.Command { return (&explainCommand{Outboxes: o}).cobraCommand() }
