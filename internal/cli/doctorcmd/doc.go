// Package doctorcmd is yan doctor: it prints what package doctor finds on the way from this
// machine to a mailbox, and what to do about it.
package doctorcmd

import (
	"context"
	"net"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
	// dial opens connections; nil means net.Dialer.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes yan doctor. dial opens connections; nil means net.Dialer.
func New(o *outboxes.Outboxes, dial func(ctx context.Context, network, address string) (net.Conn, error)) *cobra.Command {
	return (&runner{Outboxes: o, dial: dial}).doctorCommand()
}
