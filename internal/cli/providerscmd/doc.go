// Package providerscmd implements yan providers: the facts about each mailbox
// provider.
package providerscmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// providersCommand runs the command.
type providersCommand struct {
	*outboxes.Outboxes
}

// New returns yan providers.
func New(o *outboxes.Outboxes) *cobra.Command { return (&providersCommand{Outboxes: o}).cobraCommand() }
