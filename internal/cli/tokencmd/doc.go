// Package tokencmd implements yan token: it creates, lists and removes the tokens with which programs
// log in to 'yan serve'.
package tokencmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// tokenCommands runs yan token.
type tokenCommands struct {
	*outboxes.Outboxes
}

// New returns yan token.
func New(o *outboxes.Outboxes) *cobra.Command { return (&tokenCommands{Outboxes: o}).tokenCommand() }
