//go:build !linux

package sqlite

import "github.com/yanmail/yan/internal/outbox"

// systemUptime is not known on this system: leases end by the clock, within outbox.LongestLease.
func systemUptime() outbox.Uptime { return outbox.Uptime{} }
