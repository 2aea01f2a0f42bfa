// Package accountcmd implements yan account and yan config. They show, test and change the accounts
// that yan login set up, and import accounts from other programs.
package accountcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// accountCommands runs yan account and yan config.
type accountCommands struct {
	*outboxes.Outboxes
}

// New returns the commands yan account and yan config.
func New(o *outboxes.Outboxes) (account, config *cobra.Command) {
	r := &accountCommands{Outboxes: o}
	return r.accountCommand(), r.configCommand()
}
