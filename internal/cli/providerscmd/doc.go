// Package providerscmd is yan providers: what is known of each mailbox provider.
package providerscmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
}

// New makes yan providers.
func New(o *outboxes.Outboxes) *cobra.Command { return (&runner{Outboxes: o}).providersCommand() }
