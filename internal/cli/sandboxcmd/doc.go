// Package sandboxcmd is yan sandbox, a mail server for trials that can play providers and
// fail in many ways, and yan demo, which sends a message to one.
package sandboxcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the commands out.
type runner struct {
	*outboxes.Outboxes
}

// New makes yan sandbox and yan demo.
func New(o *outboxes.Outboxes) (sandbox, demo *cobra.Command) {
	r := &runner{Outboxes: o}
	return r.sandboxCommand(), r.demoCommand()
}
