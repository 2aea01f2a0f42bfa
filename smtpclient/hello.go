package smtpclient

import (
	"context"
	"errors"
	"time"
)

// again reports whether a dial that failed is worth a second one with a smaller
// ClientHello.
func (c Config) again(ctx context.Context, err error) bool {
	return err != nil && !c.SmallHello && errors.Is(err, ErrNoServerHello) && ctx.Err() == nil
}

// silence is how long the server may say nothing to the ClientHello before the
// connection is given up for one with a smaller ClientHello; 0 leaves it to the timeout
// of the handshake.
func (c *Conn) silence() time.Duration {
	if c.cfg.SmallHello || c.cfg.Timeouts.Silence >= c.cfg.Timeouts.Handshake {
		return 0
	}
	return c.cfg.Timeouts.Silence
}
