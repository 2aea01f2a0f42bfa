//go:build !linux

package sqlite

import "github.com/yanmail/yan/internal/outbox"

// uptime is not known on this system: leases end by the clock, within outbox.LongestLease.
func uptime() outbox.Uptime { return outbox.Uptime{} }
