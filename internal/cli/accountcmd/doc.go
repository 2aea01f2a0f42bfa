// Package accountcmd is yan account and yan config: they show, try and change what
// yan login set up, and take over accounts from other programs.
package accountcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the commands out.
type runner struct {
	*outboxes.Outboxes
}

// New makes yan account and yan config.
func New(o *outboxes.Outboxes) (account, config *cobra.Command) {
	r := &runner{Outboxes: o}
	return r.accountCommand(), r.configCommand()
}
