// Package explaincmd is yan explain: it finds the reply or the error in whatever text it
// is given, and says what it means and what to do.
package explaincmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
}

// New makes yan explain.
func New(o *outboxes.Outboxes) *cobra.Command { return (&runner{Outboxes: o}).explainCommand() }
