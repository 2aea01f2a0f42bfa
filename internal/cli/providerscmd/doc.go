// Package providerscmd implements yan providers: the facts about each mailbox
// provider.
package providerscmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner runs the command.
type runner struct {
	*outboxes.Outboxes
}

// New returns yan providers.
func New(o *outboxes.Outboxes) *cobra.Command { return (&runner{Outboxes: o}).providersCommand() }
