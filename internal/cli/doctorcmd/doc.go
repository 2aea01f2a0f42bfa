// Package doctorcmd implements yan doctor: it runs package doctor and prints
// its steps and the advice.
package doctorcmd

import (
	"context"
	"net"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// doctorCommand runs the command.
type doctorCommand struct {
	*outboxes.Outboxes
	// dial opens connections; nil means net.Dialer.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New returns yan doctor. dial opens connections; nil means net.Dialer.
func New(o *outboxes.Outboxes, dial func(ctx context.Context, network, address string) (net.Conn, error)) *cobra.Command {
	return (&doctorCommand{Outboxes: o, dial: dial}).cobraCommand()
}
