//go:build race

package outboxtest

// Race reports whether the race detector is on.
const Race = true
