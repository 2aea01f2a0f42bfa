// Package sandboxcmd implements yan sandbox, a mail server for tests that
// imitates providers and fails on request, and yan demo, which sends a message
// to one.
package sandboxcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// sandboxCommands runs the commands.
type sandboxCommands struct {
	*outboxes.Outboxes
}

// New returns yan sandbox and yan demo.
func New(o *outboxes.Outboxes) (sandbox, demo *cobra.Command) {
	r := &sandboxCommands{Outboxes: o}
	return r.sandboxCommand(), r.demoCommand()
}
