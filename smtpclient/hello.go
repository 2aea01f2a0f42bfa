package smtpclient

import (
	"context"
	"errors"
	"time"
)

// worthSecondDial reports whether a failed dial should be repeated with a smaller ClientHello.
func (c Config) worthSecondDial(ctx context.Context, err error) bool {
	return err != nil && !c.SmallHello && errors.Is(err, ErrNoServerHello) && ctx.Err() == nil
}

// helloSilence returns how long the server may stay silent after the ClientHello before Dial tries a
// smaller one; 0 means only the timeout of the handshake.
func (c *Conn) helloSilence() time.Duration {
	if c.cfg.SmallHello || c.cfg.Timeouts.Silence >= c.cfg.Timeouts.Handshake {
		return 0
	}
	return c.cfg.Timeouts.Silence
}
